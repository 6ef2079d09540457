-- Milliseconds until the next delivery of an active hook falls due, an hour at most and not before one; null when none waits.
-- Index: delivery_queue, one probe for each hook that has waiting deliveries.
WITH RECURSIVE waiting (hook_id) AS (
    (SELECT d.hook_id FROM zerodb.delivery AS d WHERE d.due_at IS NOT NULL ORDER BY d.hook_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.hook_id FROM zerodb.delivery AS d
        WHERE d.due_at IS NOT NULL AND d.hook_id > w.hook_id ORDER BY d.hook_id LIMIT 1)
    FROM waiting AS w WHERE w.hook_id IS NOT NULL
)
SELECT CASE WHEN count(*) > 0 THEN ceil(extract(epoch FROM
    greatest(least(min(n.due_at), clock_timestamp() + interval '1 hour'), clock_timestamp() - interval '1 hour') - clock_timestamp()) * 1000)::bigint END
FROM waiting AS w
JOIN zerodb.zerodb_hooks AS h ON h.id = w.hook_id AND h.is_active
CROSS JOIN LATERAL (SELECT d.due_at FROM zerodb.delivery AS d
    WHERE d.hook_id = h.id AND d.due_at IS NOT NULL ORDER BY d.due_at LIMIT 1) AS n
