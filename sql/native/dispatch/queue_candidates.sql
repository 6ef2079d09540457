-- Queues the pairs that judge_candidates.sql decides. Arrays, one entry a pair. $1 bigint[]: ids; $2 xid8[], $3 int[],
-- $4 smallint[]: events; $5 uuid[]: hooks; $6 uuid[]: the hooks' users; $7 timestamptz[]: when the events were
-- written; $8 bigint: the seq of this dispatch.
INSERT INTO zerodb.candidate (id, event_xid, event_ord, event_slot, written_at, turn, hook_id, user_id)
SELECT q.id, q.xid, q.ord, q.slot, q.written_at, $8::bigint, q.hook_id, q.user_id
FROM unnest($1::bigint[], $2::xid8[], $3::integer[], $4::smallint[], $5::uuid[], $6::uuid[], $7::timestamptz[])
    AS q (id, xid, ord, slot, hook_id, user_id, written_at)
