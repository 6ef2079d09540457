-- How many events have been written to the log so far, of all tenants, as the server counts rows: those of transactions that were
-- undone too, and up to a second late. No parameters.
-- Locks: none. Reads no table.
SELECT sum(pg_stat_get_tuples_inserted(format('zerodb.outbox_%s', s.slot)::regclass))::bigint AS events,
    extract(epoch FROM clock_timestamp())::double precision AS at_seconds
FROM generate_series(0, 7) AS s (slot)
