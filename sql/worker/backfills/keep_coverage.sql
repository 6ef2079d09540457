-- Keeps how many rows were counted. $1 uuid: hook; $2 oid: table; $3 bigint: rows; $4 bigint: those with a result; $5 float8: seconds
-- that it took. Nothing, when the hook is gone meanwhile. Index: coverage_pkey.
INSERT INTO zerodb.coverage (hook_id, relid, total, done, took)
SELECT h.id, $2::oid, $3::bigint, $4::bigint, make_interval(secs => $5::float8) FROM zerodb.zerodb_hooks AS h WHERE h.id = $1::uuid
ON CONFLICT (hook_id, relid) DO UPDATE
SET total = excluded.total, done = excluded.done, took = excluded.took, counted_at = excluded.counted_at
