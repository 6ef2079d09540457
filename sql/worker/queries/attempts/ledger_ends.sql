-- The length of each partition of the two tables that keep attempts, in blocks. No parameters.
-- Locks: access share on each partition. Asks the file system, reads no rows.
SELECT
    t.name AS kept_in,
    s.slot::smallint AS slot,
    pg_relation_size(format('zerodb.%I', t.name || '_' || s.slot)::regclass) / current_setting('block_size')::bigint AS blocks
FROM (VALUES ('attempt'), ('completion')) AS t (name)
CROSS JOIN generate_series(0, 7) AS s (slot)
ORDER BY t.name, s.slot
