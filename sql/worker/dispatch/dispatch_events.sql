-- Moves the dispatcher, see sql/schema/queue/dispatch.sql. $1 int: most events; $2 bigint: lease; $3 int: deliveries
-- this worker can run now; $4 uuid[]: hooks that get none now; $5 bigint: most pairs of an event and a hook, and $6
-- bigint: most bytes of event data, of which one event may have more. No row when another worker has the turn. Locks:
-- `dispatch`, until the transaction ends; the lease FOR KEY SHARE. Indexes: outbox_key, zerodb_hooks_wanted. Every
-- read is bounded by two snapshots, so an open transaction costs nothing (PgQ's method).
SELECT d.* FROM zerodb._dispatch($1::integer, $2::bigint, $3::integer, $4::uuid[], $5::bigint, $6::bigint) AS d
