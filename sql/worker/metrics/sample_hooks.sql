-- What waits of each active hook, a thousand hooks at most: what is due, what waits for its time, and for how many seconds the first has been due.
-- Together 100,000 deliveries are counted, and of each hook a thousand where that is more. Locks nothing.
-- Index: delivery_queue, one probe for each hook that has waiting deliveries, then those that are counted.
WITH RECURSIVE waiting (hook_id, n) AS (
    (SELECT d.hook_id, 1 FROM zerodb.delivery AS d WHERE d.due_at IS NOT NULL ORDER BY d.hook_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.hook_id FROM zerodb.delivery AS d
        WHERE d.due_at IS NOT NULL AND d.hook_id > w.hook_id ORDER BY d.hook_id LIMIT 1), w.n + 1
    FROM waiting AS w WHERE w.hook_id IS NOT NULL AND w.n < 1000
)
SELECT h.user_id, h.hook_name::text AS hook_name, c.due, c.not_due,
    coalesce(extract(epoch FROM clock_timestamp() - c.oldest), 0)::double precision AS due_age
FROM waiting AS w
JOIN zerodb.zerodb_hooks AS h ON h.id = w.hook_id AND h.is_active
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE q.due_at <= clock_timestamp()) AS due,
        count(*) FILTER (WHERE q.due_at > clock_timestamp()) AS not_due,
        min(q.due_at) FILTER (WHERE q.due_at <= clock_timestamp()) AS oldest
    FROM (SELECT d.due_at FROM zerodb.delivery AS d WHERE d.hook_id = h.id AND d.due_at IS NOT NULL ORDER BY d.due_at
        LIMIT greatest(1000, 100000 / (SELECT count(*) FROM waiting))) AS q
) AS c
