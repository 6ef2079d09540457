-- The attempts of one partition of the ledger from a place to another, with hook and event (null when they are gone).
-- $1 smallint: slot; $2 text: place, as a tid; $3 timestamptz: not started before, or null; $4 text: hook's id or name, or null;
-- $5 text: the place where it ends, as a tid.
-- Locks: none. Relies on the position in the partition (tid range scan), delivery_pkey and outbox_key.
WITH recent AS MATERIALIZED (
    SELECT a.delivery_id, a.attempt, a.started_at, a.outcome, a.duration_ms, a.status, a.error, a.worker
    FROM zerodb.attempt AS a
    WHERE a.slot = $1::smallint AND a.ctid >= $2::text::tid AND a.ctid < $5::text::tid
        AND ($3::timestamptz IS NULL OR a.started_at >= $3::timestamptz)
)
SELECT
    r.delivery_id, r.attempt, r.started_at, r.started_at + r.duration_ms * interval '1 ms' AS ended_at,
    r.outcome, r.duration_ms, r.status, r.error, r.worker, d.hook_id, h.hook_name, o.event_type,
    zerodb._event_id(d.event_xid, d.event_ord) AS event_id
FROM recent AS r
LEFT JOIN zerodb.delivery AS d ON d.id = r.delivery_id
LEFT JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id
LEFT JOIN zerodb.outbox AS o ON o.slot = d.event_slot AND o.xid = d.event_xid AND o.ord = d.event_ord
WHERE $4::text IS NULL OR d.hook_id::text = $4::text OR h.hook_name = $4::text
