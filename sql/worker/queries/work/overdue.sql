-- Hooks with deliveries that should have been claimed, or released in their order, a minute ago, and inactive hooks that keep
-- deliveries. No parameters. Locks: none. Relies on delivery_queue.
SELECT
    d.hook_id,
    coalesce(h.hook_name, '-')::text AS hook_name,
    coalesce(h.is_active, false) AS is_active,
    count(*) AS deliveries,
    extract(epoch FROM clock_timestamp() - min(d.due_at))::double precision AS oldest_seconds
FROM (
    SELECT q.hook_id, q.due_at FROM zerodb.delivery AS q WHERE q.due_at IS NOT NULL
    UNION ALL
    SELECT s.hook_id, s.created_at FROM zerodb.order_signal AS s
) AS d
LEFT JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id
WHERE d.due_at < clock_timestamp() - interval '1 minute'
GROUP BY d.hook_id, h.hook_name, h.is_active
ORDER BY count(*) DESC
