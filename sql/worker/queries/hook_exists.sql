-- Whether the caller may see a hook of this id or name.
-- $1 text: id or name.
-- Locks: none. Reads all hooks.
SELECT EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id::text = $1::text OR h.hook_name = $1::text) AS known
