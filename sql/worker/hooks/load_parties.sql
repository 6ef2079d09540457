-- Whose the active hooks of some users and of some owners are: asked when these hold all of a worker that they may. $1 uuid[]: users;
-- $2 text[]: owners, as load_hook.sql names them. Reads all hooks; the worker asks once a second at most.
SELECT h.id, h.user_id, d.owner::text AS owner
FROM zerodb.zerodb_hooks AS h LEFT JOIN zerodb.hook_detail AS d ON d.hook_id = h.id
WHERE h.is_active AND h.user_id <> '00000000-0000-0000-0000-000000000000'
    AND (h.user_id = ANY ($1::uuid[]) OR d.owner::text = ANY ($2::text[]))
