-- Active hooks that have candidates, each with its version, tenant and whether its deliveries keep an order. No parameters.
-- Index: candidate_place, one probe for each hook that has some. Locks: none.
WITH RECURSIVE waiting (hook_id) AS (
    (SELECT c.hook_id FROM zerodb.candidate AS c ORDER BY c.hook_id LIMIT 1)
    UNION ALL
    SELECT (SELECT c.hook_id FROM zerodb.candidate AS c WHERE c.hook_id > w.hook_id ORDER BY c.hook_id LIMIT 1)
    FROM waiting AS w WHERE w.hook_id IS NOT NULL
)
SELECT h.id, h.xmin::text::bigint AS version, h.user_id, coalesce(d.ordered, true) AS ordered
FROM waiting AS w
JOIN zerodb.zerodb_hooks AS h ON h.id = w.hook_id AND h.is_active
LEFT JOIN zerodb.hook_detail AS d ON d.hook_id = h.id
