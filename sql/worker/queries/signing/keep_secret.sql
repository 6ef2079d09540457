-- Keeps a sealed signing secret where there is none, and returns the one that is kept. $1 uuid: hook; $2 integer: its
-- number; $3 bytea: sealed. Null when it is locked or gone. Locks: the secret and the hook, SKIP LOCKED.
SELECT zerodb._seal_secret($1::uuid, $2::integer, $3::bytea) AS kept
