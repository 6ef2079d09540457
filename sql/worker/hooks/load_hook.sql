-- A hook as it is now, with its version and the role that made it (as text; null when there is none any more). $1 uuid: hook.
-- Indexes: zerodb_hooks_pkey, hook_detail_pkey.
SELECT h.id, h.xmin::text::bigint AS version, h.user_id, h.hook_type, h.hook_name, h.hook_config, d.owner::text AS owner
FROM zerodb.zerodb_hooks AS h LEFT JOIN zerodb.hook_detail AS d ON d.hook_id = h.id
WHERE h.id = $1::uuid
