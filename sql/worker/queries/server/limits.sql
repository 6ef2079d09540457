-- Connections in use and to be had by ordinary roles, how full the queue of notifications is, and whether this role
-- sees the transactions of others. No parameters.
-- Locks: none. Reads shared memory. pg_stat_database counts for everybody, pg_stat_activity only for the privileged.
SELECT
    (SELECT coalesce(sum(d.numbackends), 0) FROM pg_stat_database AS d)::bigint AS used,
    (current_setting('max_connections')::integer
        - current_setting('superuser_reserved_connections')::integer
        - coalesce(current_setting('reserved_connections', true)::integer, 0))::bigint AS usable,
    pg_notification_queue_usage() AS queue_usage,
    pg_has_role('pg_read_all_stats', 'USAGE') AS sees_others
