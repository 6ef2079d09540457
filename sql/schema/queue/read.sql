-- API: public. What became of events.

-- Every delivery, in whichever form it is kept: by itself, in a completion, or in a batch that has not ended. Whoever
-- reads more than one form reads this view; only what is locked, counted or searched by its place in an array is looked
-- for in one form. Who asks for one event bounds first_xid and last_xid by it too: they are those of the row that keeps
-- the delivery, and what its index knows.
CREATE VIEW zerodb._any_delivery WITH (security_invoker = true) AS
SELECT
    d.id,
    d.event_xid,
    d.event_ord,
    d.event_xid AS first_xid,
    d.event_xid AS last_xid,
    d.hook_id,
    d.user_id,
    d.state,
    d.attempts,
    d.due_at,
    d.last_error,
    d.created_at,
    d.finished_at,
    d.lease_id
FROM zerodb.delivery AS d
UNION ALL
SELECT
    c.id, c.event_xid, c.event_ord, c.first_xid, c.last_xid, c.hook_id, c.user_id,
    'completed', 1, NULL, NULL, c.created_at, c.finished_at, NULL
FROM zerodb._completed_delivery AS c
UNION ALL
SELECT
    r.id, r.event_xid, r.event_ord, r.event_xid, r.event_xid, r.hook_id, r.user_id,
    'running', 1, NULL, NULL, r.created_at, NULL, r.lease_id
FROM zerodb._running_delivery AS r;
COMMENT ON VIEW zerodb._any_delivery IS 'Every delivery, one a row, in whichever form it is kept';

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
FROM zerodb._any_delivery AS d;
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
