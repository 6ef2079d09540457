-- Switches a hook off and keeps the reason. $1 uuid: hook; $2 bigint: its version; $3 text: reason. False when it has changed or is
-- locked. Locks: the hook FOR UPDATE SKIP LOCKED.
SELECT zerodb._disable_hook($1::uuid, $2::bigint, $3::text)
