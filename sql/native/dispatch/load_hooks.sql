-- Active hooks for some patterns and users, in the order in which these are given. $1 int[]: numbers that are given
-- back; $2 text[]: patterns; $3 uuid[]: users; $4 bigint: most rows. No config is read. A hook without its detail is
-- left to judge_candidates.sql. Index: zerodb_hooks_wanted, one probe for each pattern and user; hook_detail_pkey.
-- Locks: none.
SELECT k.number, h.id, h.xmin::text::bigint, h.project_id, d.predicate, d.order_by, coalesce(d.conditional, true),
    coalesce(d.ordered, true), coalesce(d.simple, false)
FROM unnest($1::integer[], $2::text[], $3::uuid[]) AS k (number, pattern, user_id)
-- By their keys, whatever the planner thinks of tables that were small when it last looked.
CROSS JOIN LATERAL (SELECT x.id, x.xmin, x.project_id FROM zerodb.zerodb_hooks AS x
    WHERE x.is_active AND x.event_type = k.pattern AND x.user_id = k.user_id OFFSET 0) AS h
LEFT JOIN LATERAL (SELECT x.* FROM zerodb.hook_detail AS x WHERE x.hook_id = h.id OFFSET 0) AS d ON true
LIMIT $4::bigint
