-- One hook with what its handler needs. $1 uuid: hook.
-- Index: the primary key.
SELECT h.id, h.xmin::text::bigint AS version, h.user_id, h.hook_type, h.hook_name, h.hook_config
FROM zerodb.zerodb_hooks AS h WHERE h.id = $1::uuid
