-- Reads the next events of the log, pairs them with the hooks that match, makes the deliveries and moves the cursor.
-- $1 int: most events; $2 bigint: lease; $3 int: deliveries this worker can run now; $4 uuid[]: hooks that get none now.
-- These are leased at once, as a batch for each hook and slot whose id is the least of its deliveries'; the others wait as
-- pending, and those of hooks with "order_by" as blocked: `ordered` says that release_ordered.sql has something to do. In the
-- transaction of lock_dispatch.sql, which says by a setting whether this one has the turn; without it, nothing is read.
-- Locks: the lease FOR KEY SHARE.
-- Indexes: outbox_key. Every read is bounded by two snapshots, so an open transaction costs nothing (PgQ's method).
WITH held AS MATERIALIZED (
    -- Without its lease the worker gets nothing: all waits. With it, no reaper takes the lease away meanwhile.
    SELECT l.id FROM zerodb.lease AS l WHERE l.id = $2::bigint FOR KEY SHARE
), place AS MATERIALIZED (
    SELECT c.seq, c.done, c.moved_at, c.complete, c.done::text = c.upto::text AS fresh,
        CASE WHEN c.done::text = c.upto::text THEN pg_current_snapshot() ELSE c.upto END AS upto, c.xid, c.ord,
        -- One lower bound and not two: of two, the index scan may begin at the lower one, which is the beginning of the log.
        greatest(c.xid, pg_snapshot_xmax(c.done)) AS from_xid, CASE WHEN c.xid >= pg_snapshot_xmax(c.done) THEN c.ord ELSE -1 END AS from_ord
    FROM zerodb.cursor AS c WHERE current_setting('zerodb_hooks.dispatches', true) = 'true' ORDER BY c.seq DESC LIMIT 1
), events AS MATERIALIZED (
    SELECT e.* FROM (
        (SELECT o.* FROM zerodb.outbox AS o
        WHERE o.xid = ANY (ARRAY(SELECT pg_snapshot_xip(p.done) FROM place AS p))
            AND (o.xid, o.ord) > ((SELECT p.xid FROM place AS p), (SELECT p.ord FROM place AS p))
            AND pg_visible_in_snapshot(o.xid, (SELECT p.upto FROM place AS p))
        ORDER BY o.xid, o.ord LIMIT $1::integer)
        UNION ALL
        (SELECT o.* FROM zerodb.outbox AS o
        WHERE (o.xid, o.ord) > ((SELECT p.from_xid FROM place AS p), (SELECT p.from_ord FROM place AS p))
            AND o.xid < (SELECT pg_snapshot_xmax(p.upto) FROM place AS p)
            AND pg_visible_in_snapshot(o.xid, (SELECT p.upto FROM place AS p))
        ORDER BY o.xid, o.ord LIMIT $1::integer)
    ) AS e ORDER BY e.xid, e.ord LIMIT $1::integer
), moved AS (
    -- A window that is read to its end is done; the next read opens another. Rows without news are written rarely.
    INSERT INTO zerodb.cursor (seq, done, upto, xid, ord, complete)
    SELECT p.seq + 1, CASE WHEN r.n < $1::integer THEN p.upto ELSE p.done END, p.upto,
        CASE WHEN r.n < $1::integer THEN '0'::xid8 ELSE l.last_xid END, CASE WHEN r.n < $1::integer THEN 0 ELSE l.last_ord END,
        CASE WHEN r.n < $1::integer THEN p.seq + 1 ELSE p.complete END
    FROM place AS p
    CROSS JOIN (SELECT count(*) AS n FROM events AS e) AS r
    LEFT JOIN (SELECT e.xid AS last_xid, e.ord AS last_ord FROM events AS e ORDER BY e.xid DESC, e.ord DESC LIMIT 1) AS l ON true
    WHERE r.n > 0 OR NOT p.fresh OR p.moved_at < clock_timestamp() - interval '10 seconds'
), wanted AS MATERIALIZED (
    SELECT t.event_type, h.id, h.xmin::text::bigint AS version, h.user_id, h.project_id, h.hook_config ? 'when' AS conditional, d.predicate,
        h.hook_config ? 'order_by' AS ordered, d.order_by
    FROM (SELECT DISTINCT e.event_type FROM events AS e) AS t
    JOIN zerodb.zerodb_hooks AS h ON h.is_active AND h.event_type = ANY (zerodb._patterns(t.event_type))
    LEFT JOIN zerodb.hook_detail AS d ON d.hook_id = h.id
), matched AS MATERIALIZED (
    SELECT nextval('zerodb.delivery_id_seq') AS id, p.*,
        p.order_key IS NULL AND row_number() OVER () <= $3::integer AND EXISTS (SELECT FROM held) AND p.hook_id <> ALL ($4::uuid[]) AS leased
    FROM (
        SELECT e.*, w.id AS hook_id, w.version, w.user_id AS hook_user,
            CASE WHEN w.ordered THEN zerodb._order_key(e.data, w.order_by) END AS order_key
        FROM events AS e JOIN wanted AS w ON w.event_type = e.event_type AND w.user_id = e.user_id
        WHERE w.user_id <> '00000000-0000-0000-0000-000000000000' AND (w.project_id IS NULL OR w.project_id = e.project_id)
            AND (NOT w.conditional OR zerodb._is_true(e.data, w.predicate))
        UNION ALL
        SELECT e.*, w.id, w.version, w.user_id, CASE WHEN w.ordered THEN zerodb._order_key(e.data, w.order_by) END
        FROM events AS e JOIN wanted AS w ON w.event_type = e.event_type
        WHERE w.user_id = '00000000-0000-0000-0000-000000000000' AND (w.project_id IS NULL OR w.project_id = e.project_id)
            AND (NOT w.conditional OR zerodb._is_true(e.data, w.predicate))
    ) AS p
), batches AS (
    INSERT INTO zerodb.batch (id, last_id, lease_id, hook_id, user_id, slot, ids, event_xids, event_ords)
    SELECT min(m.id), max(m.id), $2::bigint, m.hook_id, m.hook_user, m.slot, array_agg(m.id), array_agg(m.xid), array_agg(m.ord)
    FROM matched AS m WHERE m.leased GROUP BY m.hook_id, m.hook_user, m.slot
), put_aside AS (
    INSERT INTO zerodb.delivery (id, event_xid, event_ord, event_slot, hook_id, user_id, due_at, order_key)
    SELECT m.id, m.xid, m.ord, m.slot, m.hook_id, m.hook_user, CASE WHEN m.order_key IS NULL THEN clock_timestamp() END, m.order_key
    FROM matched AS m WHERE NOT m.leased
)
SELECT l.id, l.hook_id, l.version, l.xid, l.ord, l.slot, l.event_type, l.data,
    l.user_id, l.project_id, l.bank_id, l.traceparent, l.created_at, l.relid, r.events, r.matched, r.fresh, r.ordered
FROM (SELECT (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM matched) AS matched,
    (SELECT p.fresh FROM place AS p) AS fresh,
    EXISTS (SELECT FROM wanted AS w WHERE w.ordered) OR EXISTS (SELECT FROM zerodb.order_signal) AS ordered) AS r
LEFT JOIN matched AS l ON l.leased
