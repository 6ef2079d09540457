-- Makes a hook of the tenant that the caller acts for, with its rights, and returns its id.
-- $1 text: event type; $2 text: name; $3 jsonb: config; $4 uuid: project or null; $5 text: type.
-- Locks: those of create_hook.
SELECT h.id FROM zerodb.create_hook(event_type => $1::text, hook_name => $2::text, hook_config => $3::jsonb,
    project_id => $4::uuid, hook_type => $5::text) AS h
