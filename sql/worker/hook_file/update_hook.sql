-- Gives a hook another config. $1 uuid: hook; $2 jsonb: config.
-- Locks: the hook's row.
SELECT h.id FROM zerodb.update_hook(id => $1::uuid, hook_config => $2::jsonb) AS h
