-- What completed at the first attempt, from a place to another in one partition of zerodb.completion, one row an attempt, with hook and
-- event (null when they are gone). Parameters and columns as in attempts.sql.
-- Locks: none. Relies on the position in the partition (tid range scan) and outbox_key.
WITH recent AS MATERIALIZED (
    SELECT e.*, c.worker, c.hook_id, c.slot
    FROM zerodb.completion AS c
    CROSS JOIN LATERAL unnest(c.ids, c.event_xids, c.event_ords, c.started_at, c.duration_ms, c.status)
        AS e (delivery_id, event_xid, event_ord, started_at, duration_ms, status)
    WHERE c.slot = $1::smallint AND c.ctid >= $2::text::tid AND c.ctid < $5::text::tid AND c.started_at IS NOT NULL
        AND ($3::timestamptz IS NULL OR e.started_at >= $3::timestamptz)
)
SELECT
    r.delivery_id, 1 AS attempt, r.started_at, r.started_at + r.duration_ms * interval '1 ms' AS ended_at,
    'completed' AS outcome, r.duration_ms, r.status, NULL::text AS error, r.worker, r.hook_id, h.hook_name, o.event_type,
    zerodb._event_id(r.event_xid, r.event_ord) AS event_id
FROM recent AS r
LEFT JOIN zerodb.zerodb_hooks AS h ON h.id = r.hook_id
LEFT JOIN zerodb.outbox AS o ON o.slot = r.slot AND o.xid = r.event_xid AND o.ord = r.event_ord
WHERE $4::text IS NULL OR r.hook_id::text = $4::text OR h.hook_name = $4::text
