-- Runs an action of a handler on a user's table, as a role that may. $1 uuid: hook; $2 oid: table; $3 text: action;
-- $4 jsonb: arguments; $5 real[]: vectors. Returns what the action returns. Locks: the table, and those of the action.
SELECT zerodb._as_owner($1::pg_catalog.uuid, $2::pg_catalog.oid, $3::pg_catalog.text, $4::pg_catalog.jsonb, $5::pg_catalog.float4[])
