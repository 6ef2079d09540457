-- Hooks that the caller may see of this id or name, ten at most, oldest first.
-- $1 uuid: id or null; $2 text: name or null.
-- Locks: none. Relies on zerodb_hooks_pkey; by a name it reads all hooks that the caller may see.
SELECT h.id, h.hook_name::text AS hook_name, h.event_type::text AS event_type, h.hook_type::text AS hook_type, h.is_active,
    h.user_id
FROM zerodb.zerodb_hooks AS h WHERE h.id = $1::uuid OR h.hook_name = $2::text
ORDER BY h.created_at, h.id LIMIT 10
