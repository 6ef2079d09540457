-- Hooks with deliveries that run, the most first, a hundred at most. No parameters.
-- Locks: none. Relies on batch_pkey, delivery_lease and zerodb_hooks_pkey.
SELECT r.hook_id, h.hook_name::text AS hook_name, h.event_type::text AS event_type, r.n AS running,
    extract(epoch FROM clock_timestamp() - r.oldest)::double precision AS oldest_seconds
FROM (SELECT q.* FROM zerodb._running_hooks() AS q ORDER BY q.n DESC, q.hook_id LIMIT 100) AS r
LEFT JOIN zerodb.zerodb_hooks AS h ON h.id = r.hook_id
ORDER BY r.n DESC, r.hook_id
