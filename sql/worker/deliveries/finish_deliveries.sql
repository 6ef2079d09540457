-- Ends attempts: $1 bigint: lease; $2 bigint[]: delivery; $3 int[]: epoch; $4 text[]: completed, failed (to be retried), discarded,
-- exhausted (discarded, because it was the last attempt), deferred (it could not be tried yet) or released (it did not run);
-- $5 bigint[]: ms until the retry; $6 text[]: error; $7 int[]: status; $8 timestamptz[]: start; $9 int[]: duration in ms;
-- $10 text: worker; $11 boolean: whether the ledger keeps completed attempts. Returns the ids accepted, each with whether it
-- lets another one of its key follow, and those that are `locked`: the attempt is still this lease's, but another session holds the
-- row, so its outcome has to be written later. An id that is missing was refused: its lease or epoch has passed to another.
-- A hook that was failing and of which one completed has recovered. Locks: deliveries FOR NO KEY UPDATE SKIP LOCKED, hook_health FOR
-- UPDATE SKIP LOCKED; it waits for nobody. Index: the primary key
-- (IS NOT DISTINCT FROM keeps the planner from reading all that the lease ever held), and no other is touched (a HOT update).
WITH ended AS MATERIALIZED (
    -- No wait and no number is too great for the sums below.
    SELECT e.id, e.epoch, CASE e.outcome WHEN 'exhausted' THEN 'discarded' ELSE e.outcome END AS outcome,
        CASE e.outcome WHEN 'exhausted' THEN e.outcome ELSE 'discarded' END AS kind, least(greatest(e.retry_ms, 0), 315360000000) * interval '1 millisecond' AS retry_in,
        e.error, e.status, e.started_at, e.duration_ms
    FROM unnest($2::bigint[], $3::integer[], $4::text[], $5::bigint[], $6::text[], $7::integer[], $8::timestamptz[], $9::integer[])
        AS e (id, epoch, outcome, retry_ms, error, status, started_at, duration_ms)
), mine AS MATERIALIZED (
    -- With all that is needed below: of a CTE the planner knows no size, and two of them it joins in loops.
    SELECT e.*, EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = d.hook_id) AS has_hook
    FROM ended AS e JOIN zerodb.delivery AS d
        ON d.id = e.id AND d.epoch = e.epoch AND d.lease_id IS NOT DISTINCT FROM $1::bigint AND d.state = 'running'
    FOR NO KEY UPDATE OF d SKIP LOCKED
), finished AS (
    UPDATE zerodb.delivery AS d
    SET state = CASE e.outcome WHEN 'completed' THEN 'completed' WHEN 'discarded' THEN CASE WHEN e.has_hook THEN 'discarded' ELSE 'cancelled' END
            WHEN 'released' THEN 'pending' WHEN 'deferred' THEN 'pending'
            ELSE CASE WHEN e.has_hook THEN 'retryable' ELSE 'cancelled' END END::zerodb.delivery_state,
        attempts = CASE WHEN e.outcome IN ('released', 'deferred') THEN greatest(d.attempts, 1) - 1 ELSE d.attempts END,
        due_at = CASE WHEN e.outcome = 'released' THEN clock_timestamp()
            WHEN e.outcome = 'deferred' OR e.outcome = 'failed' AND e.has_hook THEN clock_timestamp() + e.retry_in END,
        finished_at = CASE WHEN e.outcome NOT IN ('failed', 'deferred', 'released') THEN clock_timestamp() END,
        last_error = e.error
    FROM mine AS e WHERE d.id = e.id
    RETURNING d.id, d.attempts, d.hook_id, d.user_id, d.event_xid, d.event_ord, d.event_slot, d.state, d.order_key, e.outcome, e.kind, e.error, e.status,
        e.started_at, e.duration_ms
), ledger AS (
    INSERT INTO zerodb.attempt (delivery_id, started_at, attempt, duration_ms, status, slot, outcome, error, worker)
    SELECT f.id, f.started_at, f.attempts, f.duration_ms, f.status, f.event_slot, f.outcome, f.error, $10::text
    FROM finished AS f WHERE f.outcome NOT IN ('deferred', 'released') AND ($11::boolean OR f.outcome <> 'completed')
), well AS MATERIALIZED (
    SELECT x.hook_id FROM zerodb.hook_health AS x
    WHERE x.hook_id = ANY (ARRAY(SELECT f.hook_id FROM finished AS f WHERE f.outcome = 'completed')) FOR UPDATE SKIP LOCKED
), recovered AS (
    DELETE FROM zerodb.hook_health AS x USING well AS w WHERE x.hook_id = w.hook_id
    RETURNING zerodb._tell_health('recovered', x.hook_id, NULL, NULL, NULL)
)
SELECT f.id, CASE WHEN f.state = 'discarded' THEN (
    -- The meta-event; a hook on it that fails does not make another.
    SELECT zerodb._emit_failure(jsonb_build_object('kind', f.kind, 'hook_id', f.hook_id, 'hook_name', h.hook_name, 'event', left(o.event_type, 100),
        'event_id', zerodb._event_id(f.event_xid, f.event_ord), 'delivery_id', f.id, 'attempts', f.attempts, 'last_error', f.error),
        o.project_id, nullif(f.user_id, zerodb._every_user()), o.bank_id)
    FROM zerodb.outbox AS o LEFT JOIN zerodb.zerodb_hooks AS h ON h.id = f.hook_id
    WHERE o.slot = f.event_slot AND o.xid = f.event_xid AND o.ord = f.event_ord AND o.event_type <> 'on_hook_failure') END AS emitted,
    f.order_key IS NOT NULL AND f.state IN ('completed', 'discarded', 'cancelled') AS unblocks, false AS locked
FROM finished AS f
UNION ALL
SELECT d.id, NULL, false, true
FROM ended AS e JOIN zerodb.delivery AS d
    ON d.id = e.id AND d.epoch = e.epoch AND d.lease_id IS NOT DISTINCT FROM $1::bigint AND d.state = 'running'
WHERE e.id NOT IN (SELECT m.id FROM mine AS m)
