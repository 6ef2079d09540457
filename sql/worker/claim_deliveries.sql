-- Leases deliveries that are due, some of each hook that has any. $1 int: most; $2 int: most of one hook;
-- $3 uuid[]: hooks that get none now; $4 bigint: lease. What was lost twice is left to claim_suspect.sql.
-- Locks: the lease FOR KEY SHARE, deliveries FOR UPDATE SKIP LOCKED. Indexes: delivery_queue (a loose scan over the hooks that wait), outbox_key.
WITH RECURSIVE held AS MATERIALIZED (
    -- Without its lease the worker gets nothing; with it, no reaper takes the lease away meanwhile.
    SELECT l.id FROM zerodb.lease AS l WHERE l.id = $4::bigint FOR KEY SHARE
), waiting (hook_id) AS (
    (SELECT d.hook_id FROM zerodb.delivery AS d WHERE d.due_at IS NOT NULL ORDER BY d.hook_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.hook_id FROM zerodb.delivery AS d
        WHERE d.due_at IS NOT NULL AND d.hook_id > w.hook_id ORDER BY d.hook_id LIMIT 1)
    FROM waiting AS w WHERE w.hook_id IS NOT NULL
), due AS MATERIALIZED (
    SELECT d.id, h.xmin::text::bigint AS version
    FROM held
    CROSS JOIN waiting AS w
    JOIN zerodb.zerodb_hooks AS h ON h.id = w.hook_id AND h.is_active AND h.id <> ALL ($3::uuid[])
    CROSS JOIN LATERAL (
        SELECT q.id FROM zerodb.delivery AS q
        WHERE q.hook_id = h.id AND q.due_at <= statement_timestamp() AND q.losses < 2
        ORDER BY q.due_at LIMIT $2::integer FOR UPDATE SKIP LOCKED
    ) AS d
    LIMIT $1::integer
), claimed AS (
    UPDATE zerodb.delivery AS d
    SET state = 'running', due_at = NULL, lease_id = $4::bigint, attempts = d.attempts + 1, epoch = d.epoch + 1
    FROM due WHERE d.id = due.id
    RETURNING d.id, d.attempts, d.epoch, d.losses, d.hook_id, due.version, d.event_xid, d.event_ord, d.event_slot
)
SELECT c.id, c.hook_id, c.version, c.event_xid, c.event_ord, c.event_slot, o.event_type, o.data,
    o.user_id, o.project_id, o.bank_id, o.traceparent, o.created_at, o.relid, c.attempts, c.epoch, c.losses
FROM claimed AS c
LEFT JOIN zerodb.outbox AS o ON o.slot = c.event_slot AND o.xid = c.event_xid AND o.ord = c.event_ord
ORDER BY c.event_xid, c.event_ord
