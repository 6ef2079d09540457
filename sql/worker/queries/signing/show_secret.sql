-- True once for a signing secret. $1 uuid: hook; $2 integer: its number. Locks: the secret.
SELECT zerodb._show_secret($1::uuid, $2::integer) AS is_first
