-- The length of each partition of the ledger, in blocks. No parameters.
-- Locks: access share on each partition. Asks the file system, reads no rows.
SELECT
    s.slot::smallint AS slot,
    pg_relation_size(format('zerodb.attempt_%s', s.slot)::regclass)
        / current_setting('block_size')::bigint AS blocks
FROM generate_series(0, 7) AS s (slot)
ORDER BY s.slot
