-- Hooks with deliveries that should have been claimed a minute ago, and inactive hooks that keep deliveries. No parameters.
-- Locks: none. Relies on delivery_queue.
SELECT
    d.hook_id,
    coalesce(h.hook_name, '-')::text AS hook_name,
    coalesce(h.is_active, false) AS is_active,
    count(*) AS deliveries,
    extract(epoch FROM clock_timestamp() - min(d.due_at))::double precision AS oldest_seconds
FROM zerodb.delivery AS d
LEFT JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id
WHERE d.due_at < clock_timestamp() - interval '1 minute'
GROUP BY d.hook_id, h.hook_name, h.is_active
ORDER BY count(*) DESC
