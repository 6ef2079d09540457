-- Reads the next events of the log, pairs them with the hooks that match, makes the deliveries and moves the cursor.
-- $1 int: most events; $2 bigint: lease; $3 int: deliveries this worker can run now; $4 uuid[]: hooks that get none now;
-- $5 bigint: most pairs of an event and a hook, and $6 bigint: most bytes of event data, of which one event may have more.
-- What this worker takes is leased at once, as a batch for each hook and slot whose id is the least of its deliveries'; the others
-- wait as pending, those of hooks with "order_by" as blocked (`ordered`: release_ordered.sql has something to do), and pairs whose
-- condition or key may take long as candidates, which judge_candidates.sql decides (`undecided`).
-- The answer: a row for each batch, and one for each event of a batch, so that an event's data is sent once. The counts are in all.
-- In the transaction of lock_dispatch.sql, which says by a setting whether this one has the turn; without it, nothing is read.
-- Locks: the lease FOR KEY SHARE.
-- Indexes: outbox_key, by _read_log. Every read is bounded by two snapshots, so an open transaction costs nothing (PgQ's method).
WITH held AS MATERIALIZED (
    -- Without its lease the worker gets nothing: all waits. With it, no reaper takes the lease away meanwhile.
    SELECT l.id FROM zerodb.lease AS l WHERE l.id = $2::bigint FOR KEY SHARE
), place AS MATERIALIZED (
    -- The cursor, if this transaction has the turn: the window that is being read, and from which key on.
    SELECT c.seq, c.done, c.moved_at, c.complete, c.done::text = c.upto::text AS fresh,
        CASE WHEN c.done::text = c.upto::text THEN pg_current_snapshot() ELSE c.upto END AS upto, c.xid, c.ord
    FROM zerodb.cursor AS c WHERE current_setting('zerodb_hooks.dispatches', true) = 'true' ORDER BY c.seq DESC LIMIT 1
), events AS MATERIALIZED (
    -- The next events: those of transactions that were open at the last window, then those after it.
    SELECT e.* FROM place AS p CROSS JOIN LATERAL zerodb._read_log(p.done, p.upto, p.xid, p.ord, $1::integer) AS e
), wanted AS MATERIALIZED (
    -- The active hooks for the types and users of these events. No config is read. A hook without its detail is left to
    -- judge_candidates.sql.
    SELECT t.event_type, h.id, h.xmin::text::bigint AS version, h.user_id, h.project_id, d.predicate, d.order_by,
        coalesce(d.conditional, true) AS conditional, coalesce(d.ordered, true) AS ordered, coalesce(d.simple, false) AS simple
    FROM (SELECT DISTINCT e.event_type FROM events AS e) AS t
    -- Once a type, and not once for each hook, of which there may be many.
    CROSS JOIN LATERAL unnest(zerodb._patterns(t.event_type)) AS p (pattern)
    JOIN zerodb.zerodb_hooks AS h ON h.is_active AND h.event_type = p.pattern
        AND h.user_id = ANY (ARRAY(SELECT '00000000-0000-0000-0000-000000000000'::uuid UNION ALL SELECT e.user_id FROM events AS e))
    -- By its key, whatever the planner thinks of a table that was small when it last looked.
    LEFT JOIN LATERAL (SELECT x.* FROM zerodb.hook_detail AS x WHERE x.hook_id = h.id OFFSET 0) AS d ON true
), size AS MATERIALIZED (
    -- The number of events that were read, and whether all of them fit into one dispatch.
    SELECT s.n, s.n * (SELECT count(*) FROM wanted AS w) <= $5::bigint AND s.bytes <= $6::bigint AS fits
    FROM (SELECT count(*) AS n, coalesce(sum(octet_length(e.data::text) + octet_length(e.event_type)), 0) AS bytes FROM events AS e) AS s
), wishes AS MATERIALIZED (
    -- The number of hooks that each user has for a type; only where not all events fit.
    SELECT w.event_type, w.user_id, count(*) AS n FROM wanted AS w WHERE NOT (SELECT s.fits FROM size AS s) GROUP BY w.event_type, w.user_id
), reach AS MATERIALIZED (
    -- The last event that is taken now: the last one read, or, where these are too much at once, one before it.
    SELECT r.xid, r.ord, r.n FROM (
        (SELECT e.xid, e.ord, (SELECT s.n FROM size AS s) AS n
        FROM events AS e WHERE (SELECT s.fits FROM size AS s) ORDER BY e.xid DESC, e.ord DESC LIMIT 1)
        UNION ALL
        (SELECT b.xid, b.ord, b.n FROM (
            SELECT e.xid, e.ord, row_number() OVER so_far AS n, sum(coalesce(own.n, 0) + coalesce(every.n, 0)) OVER so_far AS pairs,
                sum(octet_length(e.data::text) + octet_length(e.event_type)) OVER so_far AS bytes
            FROM events AS e
            LEFT JOIN wishes AS own ON own.event_type = e.event_type AND own.user_id = e.user_id
            LEFT JOIN wishes AS every ON every.event_type = e.event_type AND every.user_id = '00000000-0000-0000-0000-000000000000'
            WHERE NOT (SELECT s.fits FROM size AS s)
            WINDOW so_far AS (ORDER BY e.xid, e.ord ROWS UNBOUNDED PRECEDING)
        ) AS b WHERE b.n = 1 OR b.pairs <= $5::bigint AND b.bytes <= $6::bigint ORDER BY b.n DESC LIMIT 1)
    ) AS r LIMIT 1
), moved AS (
    -- A window that is read to its end is done; the next read opens another. Rows without news are written rarely.
    INSERT INTO zerodb.cursor (seq, done, upto, xid, ord, complete)
    SELECT p.seq + 1, CASE WHEN r.at_end THEN p.upto ELSE p.done END, p.upto,
        CASE WHEN r.at_end THEN '0'::xid8 ELSE r.xid END, CASE WHEN r.at_end THEN 0 ELSE r.ord END,
        CASE WHEN r.at_end THEN p.seq + 1 ELSE p.complete END
    FROM place AS p
    CROSS JOIN (SELECT s.n, s.n < $1::integer AND (s.n = 0 OR s.n = l.n) AS at_end, l.xid, l.ord
        FROM size AS s LEFT JOIN reach AS l ON true) AS r
    WHERE r.n > 0 OR NOT p.fresh OR p.moved_at < clock_timestamp() - interval '10 seconds'
), matched AS MATERIALIZED (
    -- The pairs of an event and a hook that wants it, with the id of the delivery that a pair becomes.
    SELECT nextval('zerodb.delivery_id_seq') AS id, q.xid, q.ord, q.slot, q.created_at, q.hook_id, q.version, q.hook_user, q.hard, q.order_key,
        NOT q.hard AND q.order_key IS NULL AND row_number() OVER () <= $3::integer
            AND EXISTS (SELECT FROM held) AND q.hook_id <> ALL ($4::uuid[]) AS leased
    FROM (
        SELECT p.*, CASE WHEN p.ordered AND NOT p.hard THEN zerodb._order_key(p.data, p.order_by) END AS order_key
        FROM (
            -- In data without an array a path finds one value at most, so what a simple condition or key costs has a bound.
            SELECT c.*, CASE WHEN NOT c.conditional AND NOT c.ordered THEN false WHEN NOT c.simple THEN true
                ELSE octet_length(c.data::text) > 4096 OR strpos(c.data::text, '[') > 0 END AS hard
            FROM (
                SELECT e.xid, e.ord, e.slot, e.created_at, e.data, w.id AS hook_id, w.version, w.user_id AS hook_user,
                    w.conditional, w.ordered, w.simple, w.predicate, w.order_by
                FROM events AS e JOIN wanted AS w ON w.event_type = e.event_type AND w.user_id = e.user_id
                WHERE w.user_id <> '00000000-0000-0000-0000-000000000000' AND (w.project_id IS NULL OR w.project_id = e.project_id)
                    AND (e.xid, e.ord) <= ((SELECT r.xid FROM reach AS r), (SELECT r.ord FROM reach AS r))
                UNION ALL
                SELECT e.xid, e.ord, e.slot, e.created_at, e.data, w.id, w.version, w.user_id,
                    w.conditional, w.ordered, w.simple, w.predicate, w.order_by
                FROM events AS e JOIN wanted AS w ON w.event_type = e.event_type
                WHERE w.user_id = '00000000-0000-0000-0000-000000000000' AND (w.project_id IS NULL OR w.project_id = e.project_id)
                    AND (e.xid, e.ord) <= ((SELECT r.xid FROM reach AS r), (SELECT r.ord FROM reach AS r))
            ) AS c
        ) AS p
        WHERE CASE WHEN NOT p.conditional OR p.hard THEN true ELSE zerodb._is_true(p.data, p.predicate) END
    ) AS q
), totals AS MATERIALIZED (
    -- The counts of the answer.
    SELECT count(*) AS matched, count(*) FILTER (WHERE m.leased) AS leased, coalesce(bool_or(m.order_key IS NOT NULL), false) AS ordered,
        coalesce(bool_or(m.hard), false) AS undecided
    FROM matched AS m
), batches AS (
    -- Leases to this worker the pairs that it has room for: one batch for each hook and slot.
    INSERT INTO zerodb.batch (id, last_id, lease_id, hook_id, user_id, slot, ids, event_xids, event_ords)
    SELECT min(m.id), max(m.id), $2::bigint, m.hook_id, m.hook_user, m.slot, array_agg(m.id), array_agg(m.xid), array_agg(m.ord)
    FROM matched AS m WHERE m.leased GROUP BY m.hook_id, m.hook_user, m.slot
    RETURNING id, hook_id, ids, event_xids, event_ords
), put_aside AS (
    -- Queues the other pairs as deliveries: due now, or blocked by their key.
    INSERT INTO zerodb.delivery (id, event_xid, event_ord, event_slot, hook_id, user_id, due_at, order_key)
    SELECT m.id, m.xid, m.ord, m.slot, m.hook_id, m.hook_user, CASE WHEN m.order_key IS NULL THEN clock_timestamp() END, m.order_key
    FROM matched AS m WHERE NOT m.leased AND NOT m.hard
), undecided AS (
    -- Queues the pairs that judge_candidates.sql decides.
    INSERT INTO zerodb.candidate (id, event_xid, event_ord, event_slot, written_at, turn, hook_id, user_id)
    SELECT m.id, m.xid, m.ord, m.slot, m.created_at, p.seq + 1, m.hook_id, m.hook_user
    FROM matched AS m CROSS JOIN place AS p WHERE m.hard
)
SELECT n.events, n.matched, n.fresh, n.ordered, n.undecided, a.*
FROM (SELECT coalesce((SELECT r.n FROM reach AS r), 0) AS events, t.matched, (SELECT p.fresh FROM place AS p) AS fresh,
    t.ordered OR EXISTS (SELECT FROM zerodb.order_signal) AS ordered, t.undecided FROM totals AS t) AS n
LEFT JOIN (
    SELECT b.id AS batch_id, b.hook_id, v.version, b.ids, b.event_xids, b.event_ords, NULL::xid8 AS xid, NULL::integer AS ord,
        NULL::text AS event_type, NULL::json AS data, NULL::uuid AS user_id, NULL::uuid AS project_id, NULL::text AS bank_id,
        NULL::text AS traceparent, NULL::timestamptz AS created_at, NULL::oid AS relid
    FROM batches AS b JOIN (SELECT DISTINCT w.id, w.version FROM wanted AS w) AS v ON v.id = b.hook_id
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, e.xid, e.ord, e.event_type, e.data, e.user_id, e.project_id, e.bank_id,
        e.traceparent, e.created_at, e.relid
    FROM events AS e
    -- Usually all of them are for all hooks, and nobody has to look which.
    WHERE (SELECT t.leased = s.n * (SELECT count(*) FROM wanted AS w) FROM totals AS t, size AS s)
        OR (e.xid, e.ord) IN (SELECT m.xid, m.ord FROM matched AS m WHERE m.leased)
) AS a ON true
