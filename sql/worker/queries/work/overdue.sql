-- Hooks with deliveries that should have been claimed, or released in their order, a minute ago, and inactive hooks that keep
-- deliveries: a hundred of each at most, each counted to 10,000. No parameters.
-- Locks: none. Relies on delivery_queue: one probe for each hook that waits.
WITH RECURSIVE waiting (hook_id) AS (
    (SELECT d.hook_id FROM zerodb.delivery AS d WHERE d.due_at IS NOT NULL ORDER BY d.hook_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.hook_id FROM zerodb.delivery AS d
        WHERE d.due_at IS NOT NULL AND d.hook_id > w.hook_id ORDER BY d.hook_id LIMIT 1)
    FROM waiting AS w WHERE w.hook_id IS NOT NULL
), late AS (
    (SELECT w.hook_id, q.deliveries, q.oldest FROM waiting AS w CROSS JOIN LATERAL (
        SELECT count(*) AS deliveries, min(l.due_at) AS oldest FROM (
            SELECT d.due_at FROM zerodb.delivery AS d
            WHERE d.hook_id = w.hook_id AND d.due_at < clock_timestamp() - interval '1 minute' ORDER BY d.due_at LIMIT 10000) AS l) AS q
    WHERE q.deliveries > 0 LIMIT 100)
    UNION ALL
    (SELECT s.hook_id, count(*), min(s.created_at) FROM (
        SELECT o.hook_id, o.created_at FROM zerodb.order_signal AS o
        WHERE o.created_at < clock_timestamp() - interval '1 minute' LIMIT 10000) AS s
    GROUP BY s.hook_id LIMIT 100)
)
SELECT
    d.hook_id,
    coalesce(h.hook_name, '-')::text AS hook_name,
    coalesce(h.is_active, false) AS is_active,
    sum(d.deliveries)::bigint AS deliveries,
    extract(epoch FROM clock_timestamp() - min(d.oldest))::double precision AS oldest_seconds
FROM late AS d
LEFT JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id
GROUP BY d.hook_id, h.hook_name, h.is_active
ORDER BY sum(d.deliveries) DESC
