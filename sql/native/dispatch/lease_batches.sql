-- Leases deliveries as batches, each of one hook and slot. $1 bigint[]: their ids, those of a batch beside each other
-- and rising; $2 xid8[], $3 int[]: their events; $4 bigint: lease; $5, $6 int[]: where each batch begins and ends in
-- these; $7 uuid[]: hooks; $8 uuid[]: the hooks' users; $9 smallint[]: slots.
INSERT INTO zerodb.batch (id, last_id, lease_id, hook_id, user_id, slot, ids, event_xids, event_ords)
SELECT ($1::bigint[])[b.head], ($1::bigint[])[b.tail], $4::bigint, b.hook_id, b.user_id, b.slot,
    ($1::bigint[])[b.head:b.tail], ($2::xid8[])[b.head:b.tail], ($3::integer[])[b.head:b.tail]
FROM unnest($5::integer[], $6::integer[], $7::uuid[], $8::uuid[], $9::smallint[])
    AS b (head, tail, hook_id, user_id, slot)
