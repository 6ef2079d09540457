-- What keeps dead rows from being vacuumed: transactions and prepared ones older than $1, and slots that hold xmin.
-- $1 text: age, as an interval. The start of another role's transaction is only visible to members of pg_read_all_stats.
-- Locks: none. Reads views of shared memory.
SELECT 'session' AS kind, s.pid::text || coalesce(' of ' || s.usename, '') || coalesce(' (' || nullif(s.application_name, '') || ')', '') AS name,
    extract(epoch FROM clock_timestamp() - s.xact_start)::double precision AS age_seconds
FROM pg_stat_activity AS s
WHERE (s.backend_xmin IS NOT NULL OR s.backend_xid IS NOT NULL)
    AND s.xact_start < clock_timestamp() - $1::text::interval
    AND s.backend_type IS DISTINCT FROM 'autovacuum worker' AND s.pid <> pg_backend_pid()
UNION ALL
SELECT 'prepared', p.gid || ' of ' || p.owner || ' in ' || p.database,
    extract(epoch FROM clock_timestamp() - p.prepared)::double precision
FROM pg_prepared_xacts AS p
WHERE p.prepared < clock_timestamp() - $1::text::interval
UNION ALL
SELECT 'slot', r.slot_name || CASE WHEN r.active THEN ' (active)' ELSE ' (inactive)' END, NULL
FROM pg_replication_slots AS r
WHERE r.xmin IS NOT NULL AND (NOT r.active OR age(r.xmin) > 1000000)
ORDER BY 3 DESC NULLS LAST
