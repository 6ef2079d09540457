-- Order by key: the deliveries of a hook with "order_by" run one after another within a key, in the order in which
-- their events were written. They wait blocked (pending, due_at null) until release_ordered.sql releases the first of
-- their key. Only that statement decides, and one at a time; whatever may concern it (a delivery was queued, the
-- released one ended) is a row of order_signal, which counts when its transaction has committed. So nobody waits for
-- anybody's transaction here.

-- Ordered deliveries that have not ended.
CREATE TABLE zerodb.order_queue (
    delivery_id bigint PRIMARY KEY,
    event_xid xid8 NOT NULL,
    written_at timestamptz NOT NULL,
    turn bigint NOT NULL,
    hook_id uuid NOT NULL,
    user_id uuid NOT NULL,
    event_ord integer NOT NULL,
    event_slot smallint NOT NULL,
    released boolean NOT NULL DEFAULT false,
    order_key text COLLATE "C" NOT NULL
);
COMMENT ON TABLE zerodb.order_queue IS 'Deliveries of hooks with "order_by" that have not ended';
COMMENT ON COLUMN zerodb.order_queue.written_at IS
    'When the event was written: the writer of a row holds its lock until it commits, so this order is that of the writes';
COMMENT ON COLUMN zerodb.order_queue.turn IS
    'The cursor''s seq; it may be released once the window of that turn is dispatched to its end';
COMMENT ON COLUMN zerodb.order_queue.released IS 'Waits for its attempts or runs; the others of its key are blocked';
CREATE INDEX order_queue_place ON zerodb.order_queue (hook_id, order_key, written_at, event_xid, event_ord,
    delivery_id);
-- One at a time, whatever else may be wrong.
CREATE UNIQUE INDEX order_queue_released ON zerodb.order_queue (hook_id, order_key) WHERE released;

CREATE TABLE zerodb.order_signal (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    turn bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    hook_id uuid NOT NULL,
    user_id uuid NOT NULL,
    order_key text COLLATE "C" NOT NULL
);
COMMENT ON TABLE zerodb.order_signal IS 'Keys of which a delivery may have to be released';

-- The key of an event: the text of what the path finds, `null` when it finds nothing. Long ones are hashed; should two
-- keys ever collide, they share one order. Never an error: data that jsonb cannot hold, or that the path fails on, has
-- the key `null`. A call that is cancelled is one: OTHERS is all errors but that. The
-- dispatcher's own, which must give the same, is in extension/src/condition.rs.
CREATE FUNCTION zerodb._order_key(data json, path jsonpath) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    key text;
BEGIN
    key := coalesce(jsonb_path_query_first(data::jsonb, path, '{}', true)::text, 'null');
    IF octet_length(key) > 200 THEN
        key := 'hash ' || hashtextextended(key, 0) || ' ' || hashtextextended(key, 1);
    END IF;
    RETURN key;
EXCEPTION WHEN OTHERS THEN
    RETURN 'null';
END
$$;

-- A delivery that is new and blocked, or was put back (redeliver), takes its place.
CREATE FUNCTION zerodb._queue_ordered() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- That of the dispatch: the dispatcher's own where it inserts, the candidate's where it was one; else the last one.
    turn bigint := coalesce((SELECT p.turn FROM zerodb.candidate AS p WHERE p.id = new.id),
        (SELECT c.seq FROM zerodb.cursor AS c ORDER BY c.seq DESC LIMIT 1));
    written_at timestamptz := (SELECT o.created_at FROM zerodb.outbox AS o
        WHERE o.slot = new.event_slot AND o.xid = new.event_xid AND o.ord = new.event_ord);
BEGIN
    INSERT INTO zerodb.order_queue (delivery_id, event_xid, written_at, turn, hook_id, user_id, event_ord, event_slot,
        order_key)
    VALUES (new.id, new.event_xid, coalesce(written_at, new.created_at), turn, new.hook_id, new.user_id, new.event_ord,
        new.event_slot, new.order_key);
    INSERT INTO zerodb.order_signal (turn, hook_id, user_id, order_key)
        VALUES (turn, new.hook_id, new.user_id, new.order_key);
    RETURN NULL;
END
$$;
CREATE TRIGGER queue_ordered AFTER INSERT ON zerodb.delivery
FOR EACH ROW WHEN (new.order_key IS NOT NULL AND new.state = 'pending' AND new.due_at IS NULL)
EXECUTE FUNCTION zerodb._queue_ordered();
CREATE TRIGGER queue_ordered_again AFTER UPDATE OF state ON zerodb.delivery
FOR EACH ROW WHEN (new.order_key IS NOT NULL AND new.state = 'pending' AND new.due_at IS NULL
    AND old.state IN ('completed', 'discarded', 'cancelled'))
EXECUTE FUNCTION zerodb._queue_ordered();

-- A delivery that ends, however it does, leaves its place. Only where it was released another one can follow.
CREATE FUNCTION zerodb._leave_order() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    was_released boolean;
BEGIN
    DELETE FROM zerodb.order_queue AS q WHERE q.delivery_id = old.id RETURNING q.released INTO was_released;
    IF was_released THEN
        INSERT INTO zerodb.order_signal (turn, hook_id, user_id, order_key)
            VALUES (0, old.hook_id, old.user_id, old.order_key);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER leave_order AFTER UPDATE OF state ON zerodb.delivery
FOR EACH ROW WHEN (new.order_key IS NOT NULL AND new.state IN ('completed', 'discarded', 'cancelled')
    AND old.state IN ('pending', 'running', 'retryable'))
EXECUTE FUNCTION zerodb._leave_order();
CREATE TRIGGER leave_order_deleted AFTER DELETE ON zerodb.delivery
FOR EACH ROW WHEN (old.order_key IS NOT NULL AND old.state IN ('pending', 'running', 'retryable'))
EXECUTE FUNCTION zerodb._leave_order();

-- What waits for an attempt: due now or later, or blocked.
CREATE VIEW zerodb._waiting_delivery WITH (security_invoker = true) AS
SELECT d.id, d.hook_id, d.state, d.created_at FROM zerodb.delivery AS d WHERE d.due_at IS NOT NULL
UNION ALL
SELECT d.id, q.hook_id, d.state, d.created_at
FROM zerodb.order_queue AS q
-- Each by its key: joined, all of zerodb.delivery might be read for a few.
CROSS JOIN LATERAL (SELECT r.* FROM zerodb.delivery AS r WHERE r.id = q.delivery_id OFFSET 0) AS d
WHERE NOT q.released AND d.state = 'pending' AND d.due_at IS NULL;
COMMENT ON VIEW zerodb._waiting_delivery IS
    'Deliveries that wait for an attempt: due now or later, or blocked by an earlier one of their key';
