-- Says for whom the rest of the transaction acts. $1 text: a tenant.
-- Locks: none.
SELECT set_config('zerodb.user_id', $1::text, true) AS user_id
