-- Deliveries that a worker leased when they were dispatched, many of one hook in a row. Nearly every delivery lives and
-- ends here; one that fails, or whose worker is lost, moves to zerodb.delivery and goes on there with the same id.

-- Leased and not all ended. What runs of a batch is what it names and neither zerodb.completion nor zerodb.delivery
-- has.
CREATE TABLE zerodb.batch (
    id bigint PRIMARY KEY,
    lease_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    hook_id uuid NOT NULL,
    user_id uuid NOT NULL,
    slot smallint NOT NULL,
    last_id bigint NOT NULL,
    ids bigint[] NOT NULL,
    event_xids xid8[] NOT NULL,
    event_ords integer[] NOT NULL,
    -- What the view below and the reaper would stumble over.
    CONSTRAINT batch_is_whole CHECK (cardinality(ids) = cardinality(event_xids)
        AND cardinality(ids) = cardinality(event_ords) AND id <= last_id)
);
COMMENT ON TABLE zerodb.batch IS 'Deliveries of one hook that run under one lease since they were dispatched';
COMMENT ON COLUMN zerodb.batch.id IS 'The least of ids';
COMMENT ON COLUMN zerodb.batch.user_id IS 'The owner of the hook';
-- Written once and soon deleted: compressing them costs more than it saves.
ALTER TABLE zerodb.batch ALTER ids SET STORAGE EXTERNAL, ALTER event_xids SET STORAGE EXTERNAL, ALTER event_ords
    SET STORAGE EXTERNAL;
CREATE INDEX batch_lease ON zerodb.batch (lease_id);

-- Append-only: what completed at the first attempt, with that attempt. It leaves with the events of its slot.
CREATE TABLE zerodb.completion (
    batch_id bigint NOT NULL,
    first_id bigint NOT NULL,
    last_id bigint NOT NULL,
    first_xid xid8 NOT NULL,
    last_xid xid8 NOT NULL,
    created_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    hook_id uuid NOT NULL,
    user_id uuid NOT NULL,
    size integer NOT NULL,
    slot smallint NOT NULL,
    ids bigint[] NOT NULL,
    event_xids xid8[] NOT NULL,
    event_ords integer[] NOT NULL,
    started_at timestamptz[],
    duration_ms integer[],
    status integer[],
    worker text NOT NULL,
    -- Look-ups by id rely on it: COMPLETION_SPAN in contract/src/event_log.rs.
    CONSTRAINT completion_is_narrow CHECK (last_id - first_id < 2048 AND last_xid < zerodb._xid_end(first_xid))
) PARTITION BY LIST (slot);
COMMENT ON TABLE zerodb.completion IS 'Deliveries of one batch that were completed together, and their attempts';
COMMENT ON COLUMN zerodb.completion.started_at IS 'Null where zerodb.record_attempts kept failures only';
-- pglz would take a fifth of the server's time for completing. Partitions take over the setting.
ALTER TABLE zerodb.completion ALTER ids SET STORAGE EXTERNAL, ALTER event_xids SET STORAGE EXTERNAL,
    ALTER event_ords SET STORAGE EXTERNAL, ALTER started_at SET STORAGE EXTERNAL, ALTER duration_ms
        SET STORAGE EXTERNAL,
    ALTER status SET STORAGE EXTERNAL;
CREATE TABLE zerodb.completion_0 PARTITION OF zerodb.completion FOR VALUES IN (0);
CREATE TABLE zerodb.completion_1 PARTITION OF zerodb.completion FOR VALUES IN (1);
CREATE TABLE zerodb.completion_2 PARTITION OF zerodb.completion FOR VALUES IN (2);
CREATE TABLE zerodb.completion_3 PARTITION OF zerodb.completion FOR VALUES IN (3);
CREATE TABLE zerodb.completion_4 PARTITION OF zerodb.completion FOR VALUES IN (4);
CREATE TABLE zerodb.completion_5 PARTITION OF zerodb.completion FOR VALUES IN (5);
CREATE TABLE zerodb.completion_6 PARTITION OF zerodb.completion FOR VALUES IN (6);
CREATE TABLE zerodb.completion_7 PARTITION OF zerodb.completion FOR VALUES IN (7);
-- Makes writing one twice impossible, also for a worker that never heard of its first commit.
CREATE UNIQUE INDEX completion_first ON zerodb.completion (first_id, slot) INCLUDE (last_id);
CREATE INDEX completion_event ON zerodb.completion (last_xid, first_xid);
-- For lists by hook and by tenant. A row has up to 2,048 deliveries, so that one of them pays little for its entries.
CREATE INDEX completion_hook ON zerodb.completion (hook_id, first_id);
CREATE INDEX completion_user ON zerodb.completion (user_id, first_id);

-- The deliveries of batches that have not ended. EXCEPT is hashed: a join would be planned for other sizes than there
-- are.
CREATE VIEW zerodb._running_delivery WITH (security_invoker = true) AS
SELECT r.id, r.event_xid, r.event_ord, b.slot, b.hook_id, b.user_id, b.created_at, b.lease_id, b.id AS batch_id, b.last_id
FROM zerodb.batch AS b
CROSS JOIN LATERAL (
    SELECT unnest(b.ids), unnest(b.event_xids), unnest(b.event_ords)
    EXCEPT
    SELECT unnest(c.ids), unnest(c.event_xids), unnest(c.event_ords) FROM zerodb.completion AS c
    WHERE c.slot = b.slot AND c.first_id BETWEEN b.id AND b.last_id AND c.batch_id = b.id
) AS r (id, event_xid, event_ord)
WHERE NOT EXISTS (SELECT FROM zerodb.delivery AS d WHERE d.id = r.id);
COMMENT ON VIEW zerodb._running_delivery IS 'The deliveries of batches that have not ended, one a row';

-- The deliveries of completions, one a row. first_ and last_ bound it by index.
CREATE VIEW zerodb._completed_delivery WITH (security_invoker = true) AS
SELECT e.id, e.event_xid, e.event_ord, c.slot, c.hook_id, c.user_id, c.created_at, c.finished_at,
    c.first_id, c.last_id, c.first_xid, c.last_xid
FROM zerodb.completion AS c
CROSS JOIN LATERAL unnest(c.ids, c.event_xids, c.event_ords) AS e (id, event_xid, event_ord)
WHERE NOT EXISTS (SELECT FROM zerodb.delivery AS d WHERE d.id = e.id);
COMMENT ON VIEW zerodb._completed_delivery IS 'The deliveries that completed at their first attempt, one a row';
