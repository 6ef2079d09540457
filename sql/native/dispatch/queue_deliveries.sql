-- Queues deliveries: due now, or blocked by their key. Arrays, one entry a delivery. $1 bigint[]: ids; $2 xid8[], $3
-- int[], $4 smallint[]: events; $5 uuid[]: hooks; $6 uuid[]: the hooks' users; $7 text[]: keys.
INSERT INTO zerodb.delivery (id, event_xid, event_ord, event_slot, hook_id, user_id, due_at, order_key)
SELECT q.id, q.xid, q.ord, q.slot, q.hook_id, q.user_id, CASE WHEN q.key IS NULL THEN clock_timestamp() END, q.key
FROM unnest($1::bigint[], $2::xid8[], $3::integer[], $4::smallint[], $5::uuid[], $6::uuid[], $7::text[])
    AS q (id, xid, ord, slot, hook_id, user_id, key)
