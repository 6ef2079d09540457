-- Runs an action of a handler on a user's table, as a role that may. $1 uuid: hook; $2 oid: table; $3 text: action;
-- $4 jsonb: arguments; $5 real[]: vectors. Returns what the action returns. Locks: those of the action.
SELECT zerodb._as_owner($1::uuid, $2::oid, $3::text, $4::jsonb, $5::real[])
