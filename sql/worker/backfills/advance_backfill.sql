-- Moves a backfill past a page. $1 bigint: lease; $2 uuid: hook; $3 oid: table; $4 jsonb: last key of the page, null at the end of
-- the table; $5 bigint: rows seen; $6 bigint: rows done; $7 jsonb[]: keys of the rows that failed; $8 text[]: why; $9 bigint:
-- rows in all, where they were counted. Returns whether the backfill is still this worker's. Index: backfill_pkey.
WITH moved AS (
    UPDATE zerodb.backfill AS b
    SET after_key = coalesce($4::jsonb, b.after_key), seen = b.seen + $5::bigint, done = b.done + $6::bigint, failed = b.failed + cardinality($7::jsonb[]),
        total = coalesce($9::bigint, b.total), last_error = NULL, finished_at = CASE WHEN $4::jsonb IS NULL AND $9::bigint IS NULL THEN clock_timestamp() END
    FROM zerodb.zerodb_hooks AS h
    WHERE b.hook_id = $2::uuid AND b.relid = $3::oid AND b.lease_id = $1::bigint AND b.finished_at IS NULL AND h.id = b.hook_id AND h.is_active
    RETURNING b.hook_id, b.relid
), failed AS (
    INSERT INTO zerodb.backfill_failure (hook_id, relid, key, error)
    SELECT m.hook_id, m.relid, f.key, f.error FROM moved AS m CROSS JOIN unnest($7::jsonb[], $8::text[]) AS f (key, error)
    ON CONFLICT (hook_id, relid, key) DO UPDATE SET error = excluded.error, at = excluded.at
)
SELECT EXISTS (SELECT FROM moved)
