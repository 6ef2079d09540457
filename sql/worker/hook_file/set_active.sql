-- Lets a hook run, or not. $1 uuid: hook; $2 boolean.
-- Locks: the hook's row.
SELECT h.id FROM zerodb.update_hook(id => $1::uuid, is_active => $2::boolean) AS h
