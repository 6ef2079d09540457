-- Gives a backfill back. $1 bigint: lease; $2 uuid: hook; $3 oid: table; $4 bigint: ms until it may be taken up again;
-- $5 text: why. Index: backfill_pkey.
UPDATE zerodb.backfill AS b
SET lease_id = NULL, not_before = clock_timestamp() + $4::bigint * interval '1 millisecond', last_error = coalesce($5::text, b.last_error)
WHERE b.hook_id = $2::uuid AND b.relid = $3::oid AND b.lease_id = $1::bigint
