-- API: public. What became of events.

CREATE VIEW zerodb.deliveries WITH (security_invoker = true) AS
SELECT
    d.id,
    zerodb._event_id(d.event_xid, d.event_ord) AS event_id,
    d.hook_id,
    d.state,
    d.attempts,
    d.due_at AS next_attempt_at,
    d.last_error,
    d.created_at,
    d.finished_at,
    d.user_id
FROM zerodb.delivery AS d
UNION ALL
SELECT c.id, zerodb._event_id(c.event_xid, c.event_ord), c.hook_id, 'completed', 1, NULL, NULL, c.created_at, c.finished_at, c.user_id
FROM zerodb._completed_delivery AS c
UNION ALL
SELECT r.id, zerodb._event_id(r.event_xid, r.event_ord), r.hook_id, 'running', 1, NULL, NULL, r.created_at, NULL, r.user_id
FROM zerodb._running_delivery AS r;
COMMENT ON VIEW zerodb.deliveries IS 'One event for one hook each, with its state';

CREATE VIEW zerodb.attempts WITH (security_invoker = true) AS
SELECT a.delivery_id, a.attempt, a.outcome, a.started_at, a.duration_ms, a.status, a.error, a.worker
FROM zerodb.attempt AS a
UNION ALL
SELECT e.id, 1, 'completed', e.started_at, e.duration_ms, e.status, NULL, c.worker
FROM zerodb.completion AS c
CROSS JOIN LATERAL unnest(c.ids, c.started_at, c.duration_ms, c.status) AS e (id, started_at, duration_ms, status)
WHERE c.started_at IS NOT NULL;
COMMENT ON VIEW zerodb.attempts IS 'The ledger: one row a try';
