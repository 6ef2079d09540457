-- The event log and the dispatcher's place in it. Both are append-only: rows are never updated, and events leave by
-- TRUNCATE of the oldest of eight partitions. Which one a new event goes to follows from the clock (see outbox.rs).

CREATE TABLE zerodb.outbox (
    xid xid8 NOT NULL,
    created_at timestamptz NOT NULL,
    ord integer NOT NULL,
    relid oid NOT NULL,
    slot smallint NOT NULL,
    user_id uuid,
    project_id uuid,
    event_type text NOT NULL,
    data json NOT NULL,
    bank_id text,
    traceparent text
) PARTITION BY LIST (slot);
COMMENT ON TABLE zerodb.outbox IS 'The event log: one row an event, written in the writer''s transaction';
COMMENT ON COLUMN zerodb.outbox.xid IS 'The writer''s top-level transaction; with ord it is the key of the event';
COMMENT ON COLUMN zerodb.outbox.relid IS 'The table whose row the event is about; 0 when it was emitted';

CREATE TABLE zerodb.outbox_0 PARTITION OF zerodb.outbox FOR VALUES IN (0) USING heap;
CREATE TABLE zerodb.outbox_1 PARTITION OF zerodb.outbox FOR VALUES IN (1) USING heap;
CREATE TABLE zerodb.outbox_2 PARTITION OF zerodb.outbox FOR VALUES IN (2) USING heap;
CREATE TABLE zerodb.outbox_3 PARTITION OF zerodb.outbox FOR VALUES IN (3) USING heap;
CREATE TABLE zerodb.outbox_4 PARTITION OF zerodb.outbox FOR VALUES IN (4) USING heap;
CREATE TABLE zerodb.outbox_5 PARTITION OF zerodb.outbox FOR VALUES IN (5) USING heap;
CREATE TABLE zerodb.outbox_6 PARTITION OF zerodb.outbox FOR VALUES IN (6) USING heap;
CREATE TABLE zerodb.outbox_7 PARTITION OF zerodb.outbox FOR VALUES IN (7) USING heap;
-- The extension inserts into this index by itself and relies on it being the only one of each partition.
CREATE INDEX outbox_key ON zerodb.outbox (xid, ord);

-- Where the dispatcher stands: every event visible in `done` is dispatched, and of those visible in `upto` the ones
-- up to (xid, ord); `complete` is the seq at which a window was last dispatched to its end. The last row counts; the primary key makes two dispatchers from one place impossible.
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

CREATE FUNCTION zerodb._event_id(xid xid8, ord integer) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'evt_' || lpad(to_hex(i.salt), 8, '0') || lpad(to_hex(xid::text::bigint), 16, '0') || lpad(to_hex(ord), 8, '0')
    FROM zerodb.instance AS i
$$;

-- The key inside an event id, given as evt_<32 hex digits> or as the UUID of the same digits. No row when it is malformed
-- or of another installation.
CREATE FUNCTION zerodb._event_key(id text, OUT xid xid8, OUT ord integer) RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ('x' || substr(h, 9, 16))::bit(64)::bigint::text::xid8, ('x' || substr(h, 25, 8))::bit(32)::integer
    FROM (SELECT replace(regexp_replace(lower(id), '^evt_', ''), '-', '')) AS digits (h)
    WHERE h ~ '^[0-9a-f]{8}[0-7][0-9a-f]{23}$'
        AND substr(h, 1, 8) = (SELECT lpad(to_hex(i.salt), 8, '0') FROM zerodb.instance AS i)
$$;

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

-- The events that the dispatcher has still to read, as far as the caller sees them.
CREATE FUNCTION zerodb._undispatched() RETURNS SETOF zerodb.outbox
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH place AS MATERIALIZED (SELECT c.* FROM zerodb.cursor AS c ORDER BY c.seq DESC LIMIT 1)
    SELECT o.* FROM place AS p
    JOIN zerodb.outbox AS o ON o.xid >= pg_snapshot_xmax(p.done) OR o.xid = ANY (ARRAY(SELECT pg_snapshot_xip(q.done) FROM place AS q))
    WHERE NOT (pg_visible_in_snapshot(o.xid, p.done)
        OR pg_visible_in_snapshot(o.xid, p.upto) AND (o.xid, o.ord) <= (p.xid, p.ord))
$$;
