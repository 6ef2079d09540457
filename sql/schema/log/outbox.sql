-- The event log: insert-only, and events leave by TRUNCATE of the oldest of eight partitions. Which one a new event
-- goes to follows from the clock (see outbox.rs).

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
