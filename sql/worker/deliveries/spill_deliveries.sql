-- Gives deliveries of batches rows in zerodb.delivery, running under the same lease, so that they can end otherwise than
-- completed. In one transaction with finish_deliveries.sql. $1 bigint: lease; $2 bigint[]: batch; $3 bigint[]: delivery;
-- $4 xid8[] and $5 int[]: event. A second time has no effect. Locks: the lease FOR KEY SHARE. Indexes: batch_pkey.
WITH held AS MATERIALIZED (
    SELECT l.id FROM zerodb.lease AS l WHERE l.id = $1::bigint FOR KEY SHARE
)
INSERT INTO zerodb.delivery (id, event_xid, event_ord, event_slot, hook_id, user_id, created_at, state, attempts, epoch, lease_id)
SELECT s.id, s.event_xid, s.event_ord, b.slot, b.hook_id, b.user_id, b.created_at, 'running', 1, 1, b.lease_id
FROM held AS h CROSS JOIN unnest($2::bigint[], $3::bigint[], $4::xid8[], $5::integer[]) AS s (batch_id, id, event_xid, event_ord)
JOIN zerodb.batch AS b ON b.id = s.batch_id AND b.lease_id IS NOT DISTINCT FROM h.id
ON CONFLICT (id) DO NOTHING
