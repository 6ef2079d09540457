-- A lease for this worker. $1 text: worker; $2 bigint: seconds. Returns its id.
INSERT INTO zerodb.lease (worker, expires_at)
VALUES ($1::text, clock_timestamp() + $2::bigint * interval '1 second') RETURNING id
