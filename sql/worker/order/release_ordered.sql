-- Releases the first delivery of each key that was signalled and has none released. No parameters. Returns how many.
-- In the transaction of lock_release.sql. A window of the log counts once it is dispatched to its end: before, an event that was
-- written earlier may still follow. A delivery that somebody has locked (a discard that has not committed) is left, with its
-- signal, for the next time; and so is one while an earlier event is a candidate of its hook: that may be of the same key.
-- Locks: deliveries FOR UPDATE SKIP LOCKED. Indexes: order_signal_pkey, candidate_place, order_queue_place, order_queue_released, delivery_pkey.
WITH place AS MATERIALIZED (
    SELECT c.complete FROM zerodb.cursor AS c ORDER BY c.seq DESC LIMIT 1
), signals AS MATERIALIZED (
    SELECT s.id, s.hook_id, s.order_key FROM zerodb.order_signal AS s
    WHERE s.turn <= (SELECT p.complete FROM place AS p) ORDER BY s.id
), first AS MATERIALIZED (
    SELECT k.hook_id, k.order_key, q.delivery_id, q.written_at
    FROM (SELECT DISTINCT s.hook_id, s.order_key FROM signals AS s) AS k
    CROSS JOIN LATERAL (
        SELECT w.delivery_id, w.written_at FROM zerodb.order_queue AS w
        WHERE w.hook_id = k.hook_id AND w.order_key = k.order_key AND w.turn <= (SELECT p.complete FROM place AS p)
        ORDER BY w.written_at, w.event_xid, w.event_ord, w.delivery_id LIMIT 1
    ) AS q
    WHERE NOT EXISTS (SELECT FROM zerodb.order_queue AS r WHERE r.hook_id = k.hook_id AND r.order_key = k.order_key AND r.released)
), free AS MATERIALIZED (
    SELECT d.id FROM first AS f JOIN zerodb.delivery AS d ON d.id = f.delivery_id
    WHERE d.state = 'pending' AND d.due_at IS NULL
        AND NOT EXISTS (SELECT FROM zerodb.candidate AS c WHERE c.hook_id = f.hook_id AND c.written_at <= f.written_at
            AND c.turn <= (SELECT p.complete FROM place AS p))
    FOR UPDATE OF d SKIP LOCKED
), due AS (
    UPDATE zerodb.delivery AS d SET due_at = clock_timestamp() FROM free AS f WHERE d.id = f.id
), released AS (
    UPDATE zerodb.order_queue AS q SET released = true FROM free AS f WHERE q.delivery_id = f.id
), handled AS (
    DELETE FROM zerodb.order_signal AS o USING signals AS s
    WHERE o.id = s.id AND NOT EXISTS (SELECT FROM first AS f WHERE f.hook_id = s.hook_id AND f.order_key = s.order_key
        AND f.delivery_id NOT IN (SELECT l.id FROM free AS l))
)
SELECT count(*) FROM free AS f
