-- The length of each partition of the ledger, in blocks. No parameters.
-- Locks: access share on each partition. Asks the file system, reads no rows.
SELECT
    s.slot::smallint AS slot,
    pg_catalog.pg_relation_size(pg_catalog.format('zerodb.attempt_%s', s.slot)::pg_catalog.regclass)
        / pg_catalog.current_setting('block_size')::bigint AS blocks
FROM pg_catalog.generate_series(0, 7) AS s (slot)
ORDER BY s.slot
