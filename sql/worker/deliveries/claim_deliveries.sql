-- Leases deliveries that are due, some of each hook that has any: tenants share what can be taken, and each one's hooks its share. $1 int: most; $2 int: most of one hook;
-- $3 uuid[]: hooks that get none now; $4 bigint: lease; $5 bigint: most bytes of event data, of which one event may have more.
-- What was lost twice is left to claim_suspect.sql. No stored number can be too great for it: attempts and epoch stop rising.
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
), ready AS MATERIALIZED (
    SELECT h.id, h.xmin::text::bigint AS version, h.user_id, o.oldest
    FROM waiting AS w
    JOIN zerodb.zerodb_hooks AS h ON h.id = w.hook_id AND h.is_active AND h.id NOT IN (SELECT unnest($3::uuid[]))
    CROSS JOIN LATERAL (SELECT q.due_at AS oldest FROM zerodb.delivery AS q
        WHERE q.hook_id = h.id AND q.due_at <= statement_timestamp() AND q.losses < 2 ORDER BY q.due_at LIMIT 1) AS o
), shares AS MATERIALIZED (
    SELECT r.id, r.version, r.oldest, row_number() OVER (PARTITION BY r.user_id ORDER BY r.oldest, r.id) AS turn,
        least($2::integer, greatest($1::integer / ((SELECT count(DISTINCT t.user_id) FROM ready AS t) * count(*) OVER (PARTITION BY r.user_id)), 1)) AS most
    FROM ready AS r
), free AS MATERIALIZED (
    SELECT d.id, d.event_slot, d.event_xid, d.event_ord, s.version
    FROM held
    CROSS JOIN (SELECT a.* FROM shares AS a ORDER BY a.turn, a.oldest) AS s
    CROSS JOIN LATERAL (
        SELECT q.id, q.event_slot, q.event_xid, q.event_ord FROM zerodb.delivery AS q
        WHERE q.hook_id = s.id AND q.due_at <= statement_timestamp() AND q.losses < 2
        ORDER BY q.due_at LIMIT s.most FOR UPDATE SKIP LOCKED
    ) AS d
    LIMIT $1::integer
), due AS MATERIALIZED (
    SELECT s.id, s.version FROM (
        SELECT f.id, f.version, row_number() OVER so_far AS n,
            sum(octet_length(o.data::text)) OVER so_far AS bytes
        FROM free AS f
        LEFT JOIN zerodb.outbox AS o ON o.slot = f.event_slot AND o.xid = f.event_xid AND o.ord = f.event_ord
        WINDOW so_far AS (ROWS UNBOUNDED PRECEDING)
    ) AS s WHERE s.n = 1 OR coalesce(s.bytes, 0) <= $5::bigint
), claimed AS (
    UPDATE zerodb.delivery AS d
    SET state = 'running', due_at = NULL, lease_id = $4::bigint, attempts = least(d.attempts, 999999) + 1,
        epoch = least(d.epoch, 2147483646) + 1
    FROM due WHERE d.id = due.id
    RETURNING d.id, d.attempts, d.epoch, d.losses, d.hook_id, due.version, d.event_xid, d.event_ord, d.event_slot
)
SELECT c.id, c.hook_id, c.version, c.attempts, c.epoch, c.losses, o.xid, o.ord, o.event_type, o.data,
    o.user_id, o.project_id, o.bank_id, o.traceparent, o.created_at, o.relid
FROM claimed AS c
LEFT JOIN zerodb.outbox AS o ON o.slot = c.event_slot AND o.xid = c.event_xid AND o.ord = c.event_ord
ORDER BY c.event_xid, c.event_ord
