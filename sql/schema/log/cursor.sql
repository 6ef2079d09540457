-- The dispatcher's place in the event log. Append-only: rows are never updated.

-- Where the dispatcher stands: every event visible in `done` is dispatched, and of those visible in `upto` the ones
-- up to (xid, ord); `complete` is the seq at which a window was last dispatched to its end. The last row counts; the
-- primary key makes two dispatchers from one place impossible.
CREATE TABLE zerodb.cursor (
    seq bigint PRIMARY KEY,
    done pg_snapshot NOT NULL,
    upto pg_snapshot NOT NULL,
    xid xid8 NOT NULL,
    ord integer NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    complete bigint NOT NULL DEFAULT 0
);
INSERT INTO zerodb.cursor (seq, done, upto, xid, ord)
SELECT 0, s, s, '0'::xid8, 0 FROM pg_current_snapshot() AS s;
COMMENT ON TABLE zerodb.cursor IS 'Append-only: how far the dispatcher has read the event log';

-- True once the dispatcher has passed the event.
CREATE FUNCTION zerodb._is_dispatched(xid xid8, ord integer) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_visible_in_snapshot(_is_dispatched.xid, c.done)
        OR pg_visible_in_snapshot(_is_dispatched.xid, c.upto)
            AND (_is_dispatched.xid, _is_dispatched.ord) <= (c.xid, c.ord)
    FROM zerodb.cursor AS c ORDER BY c.seq DESC LIMIT 1
$$;

-- The first `most` events that the dispatcher has still to read, all without a number, as far as the caller sees them.
-- Those of transactions that were open at one of the cursor's snapshots come first; the others lie above its place.
CREATE FUNCTION zerodb._undispatched(most bigint DEFAULT NULL) RETURNS SETOF zerodb.outbox
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
    WITH place AS MATERIALIZED (
        SELECT c.done, c.upto, c.xid, c.ord,
            ARRAY(SELECT pg_snapshot_xip(c.done) UNION SELECT pg_snapshot_xip(c.upto)) AS open,
            greatest(c.xid, pg_snapshot_xmax(c.done)) AS from_xid,
            CASE WHEN c.xid >= pg_snapshot_xmax(c.done) THEN c.ord ELSE -2147483648 END AS from_ord
        FROM zerodb.cursor AS c ORDER BY c.seq DESC LIMIT 1
    )
    SELECT o.* FROM place AS p
    CROSS JOIN LATERAL (
        SELECT q.* FROM unnest(p.open) AS open (xid) JOIN zerodb.outbox AS q ON q.xid = open.xid
        UNION ALL
        (SELECT q.* FROM zerodb.outbox AS q
        WHERE (q.xid, q.ord) > (p.from_xid, p.from_ord) AND q.xid <> ALL (p.open) ORDER BY q.xid, q.ord)
    ) AS o
    WHERE NOT (pg_visible_in_snapshot(o.xid, p.done)
        OR pg_visible_in_snapshot(o.xid, p.upto) AND (o.xid, o.ord) <= (p.xid, p.ord))
    LIMIT most
$$;
