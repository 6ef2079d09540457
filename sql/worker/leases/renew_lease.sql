-- The heartbeat. $1 bigint: lease; $2 bigint: seconds. No row when the lease was lost to a reaper.
UPDATE zerodb.lease AS l SET expires_at = clock_timestamp() + $2::bigint * interval '1 second'
WHERE l.id = $1::bigint RETURNING l.id
