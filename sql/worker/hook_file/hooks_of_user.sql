-- The hooks of one tenant, oldest first, each with the hook of a file that has its event type, name and project, and whether
-- it has the same config, as jsonb compares.
-- $1 uuid: tenant; $2 text[]: event types of the file's hooks; $3 text[]: their names; $4 uuid[]: their projects;
-- $5 jsonb[]: their configs.
-- Locks: none. Relies on idx_zerodb_hooks_user_id.
SELECT (w.place - 1)::integer AS place, h.id, h.event_type::text AS event_type, h.hook_type::text AS hook_type,
    h.hook_name::text AS hook_name, h.project_id, h.hook_config, h.is_active,
    coalesce(h.hook_config - 'managed_by' = w.config, false) AS is_same
FROM zerodb.list_hooks(active_only => false) AS h
LEFT JOIN unnest($2::text[], $3::text[], $4::uuid[], $5::jsonb[]) WITH ORDINALITY
    AS w (event_type, hook_name, project_id, config, place)
    ON w.event_type = h.event_type AND w.hook_name = h.hook_name AND w.project_id IS NOT DISTINCT FROM h.project_id
WHERE h.user_id = $1::uuid
ORDER BY h.created_at, h.id
