-- Hooks that the caller may see, oldest first.
-- $1 text: event type or null; $2 uuid: project or null; $3 boolean: only active ones.
-- Locks: none. Relies on idx_zerodb_hooks_event_type.
SELECT
    h.id, h.user_id, h.project_id, h.event_type, h.hook_type, h.hook_name, h.hook_config, h.is_active,
    h.created_at, h.updated_at
FROM zerodb.list_hooks(event_type => $1::text, project_id => $2::uuid, active_only => $3::boolean) AS h
ORDER BY h.created_at, h.id
