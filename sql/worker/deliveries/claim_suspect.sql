-- Leases deliveries that were in flight at two crashes or more. The worker runs nothing beside them, so that a delivery which kills
-- its worker takes no other with it: what was lost twice comes in groups of one hook, what was lost oftener alone.
-- $1 bigint: lease; $2 int: most of a group; $3 bigint: most bytes of its event data, of which one event may have more.
-- Locks: the lease FOR KEY SHARE, the deliveries FOR UPDATE SKIP LOCKED. Indexes: delivery_suspect, outbox_key.
WITH held AS MATERIALIZED (
    SELECT l.id FROM zerodb.lease AS l WHERE l.id = $1::bigint FOR KEY SHARE
), first AS MATERIALIZED (
    SELECT d.hook_id, d.losses
    FROM held
    CROSS JOIN zerodb.delivery AS d
    JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id AND h.is_active
    WHERE d.losses >= 2 AND d.due_at IS NOT NULL AND d.due_at <= statement_timestamp()
    ORDER BY d.due_at LIMIT 1
), free AS MATERIALIZED (
    SELECT d.id, d.event_slot, d.event_xid, d.event_ord, h.xmin::text::bigint AS version
    FROM first AS f
    JOIN zerodb.zerodb_hooks AS h ON h.id = f.hook_id
    CROSS JOIN zerodb.delivery AS d
    WHERE d.hook_id = f.hook_id AND d.losses = f.losses AND d.losses >= 2 AND d.due_at IS NOT NULL AND d.due_at <= statement_timestamp()
    ORDER BY d.due_at LIMIT CASE WHEN (SELECT f.losses FROM first AS f) = 2 THEN $2::integer ELSE 1 END FOR UPDATE OF d SKIP LOCKED
), due AS MATERIALIZED (
    SELECT s.id, s.version FROM (
        SELECT f.id, f.version, row_number() OVER so_far AS n, sum(octet_length(o.data::text)) OVER so_far AS bytes
        FROM free AS f
        LEFT JOIN zerodb.outbox AS o ON o.slot = f.event_slot AND o.xid = f.event_xid AND o.ord = f.event_ord
        WINDOW so_far AS (ROWS UNBOUNDED PRECEDING)
    ) AS s WHERE s.n = 1 OR coalesce(s.bytes, 0) <= $3::bigint
), claimed AS (
    UPDATE zerodb.delivery AS d
    SET state = 'running', due_at = NULL, lease_id = $1::bigint, attempts = least(d.attempts, 999999) + 1,
        epoch = least(d.epoch, 2147483646) + 1
    FROM due WHERE d.id = due.id
    RETURNING d.id, d.attempts, d.epoch, d.losses, d.hook_id, due.version, d.event_xid, d.event_ord, d.event_slot
)
SELECT c.id, c.hook_id, c.version, c.attempts, c.epoch, c.losses, o.xid, o.ord, o.event_type, o.data,
    o.user_id, o.project_id, o.bank_id, o.traceparent, o.created_at, o.relid
FROM claimed AS c
LEFT JOIN zerodb.outbox AS o ON o.slot = c.event_slot AND o.xid = c.event_xid AND o.ord = c.event_ord
