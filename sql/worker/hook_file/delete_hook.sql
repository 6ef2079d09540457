-- Deletes a hook; its waiting deliveries are cancelled. $1 uuid: hook.
-- Locks: those of delete_hook.
SELECT zerodb.delete_hook(id => $1::uuid)::text
