-- API: public. How far each hook has come, and what it costs.

-- How many rows of a hook's tables have a result, counted by the worker now and then: counting ten million rows takes longer than
-- anybody who looks wants to wait, so the worker spends at most a hundredth of its time on it.
CREATE TABLE zerodb.coverage (
    hook_id uuid NOT NULL REFERENCES zerodb.zerodb_hooks ON DELETE CASCADE,
    relid oid NOT NULL,
    total bigint NOT NULL,
    done bigint NOT NULL,
    counted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    took interval NOT NULL,
    PRIMARY KEY (hook_id, relid)
) WITH (fillfactor = 50);
COMMENT ON TABLE zerodb.coverage IS 'Rows of the tables of auto_embed hooks, and those with a vector, when they were last counted';

-- The class of a failure: what stands before the first colon, where it is one word; `other` for all else.
CREATE FUNCTION zerodb._error_class(error text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce(substring(error FROM '^([a-z][a-z_]{1,40}): '), 'other') $$;

CREATE VIEW zerodb.hook_status WITH (security_invoker = true) AS
SELECT h.id AS hook_id, h.hook_name, h.event_type, h.is_active,
    w.pending + r.running AS pending,
    w.deferred,
    d.discarded,
    now() - least(w.oldest, r.oldest) AS oldest_pending_age,
    e.errors,
    c.total, c.done,
    round(100.0 * c.done / nullif(c.total, 0), 2) AS coverage_percent,
    c.counted_at,
    u.requests_today, u.tokens_today, u.tokens
FROM zerodb.zerodb_hooks AS h
CROSS JOIN LATERAL (
    SELECT count(*) AS pending, count(*) FILTER (WHERE q.state = 'pending' AND q.last_error IS NOT NULL) AS deferred, min(q.created_at) AS oldest
    FROM zerodb.delivery AS q WHERE q.hook_id = h.id AND q.due_at IS NOT NULL) AS w
CROSS JOIN LATERAL (
    SELECT count(*) AS running, min(x.created_at) AS oldest FROM (
        SELECT b.created_at FROM zerodb._running_delivery AS b JOIN zerodb.lease AS l ON l.id = b.lease_id WHERE b.hook_id = h.id
        UNION ALL
        SELECT q.created_at FROM zerodb.delivery AS q JOIN zerodb.lease AS l ON l.id = q.lease_id
        WHERE q.hook_id = h.id AND q.state = 'running') AS x) AS r
CROSS JOIN LATERAL (SELECT count(*) AS discarded FROM zerodb.delivery AS q WHERE q.hook_id = h.id AND q.state = 'discarded') AS d
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_object_agg(x.class, x.n), '{}') AS errors FROM (
        SELECT zerodb._error_class(f.error) AS class, count(*) AS n FROM (
            SELECT q.last_error AS error FROM zerodb.delivery AS q
            WHERE q.hook_id = h.id AND q.last_error IS NOT NULL AND q.state IN ('pending', 'retryable', 'discarded')
            UNION ALL
            SELECT b.error FROM zerodb.backfill_failure AS b WHERE b.hook_id = h.id) AS f GROUP BY 1) AS x) AS e
LEFT JOIN LATERAL (SELECT sum(v.total)::bigint AS total, sum(v.done)::bigint AS done, min(v.counted_at) AS counted_at
    FROM zerodb.coverage AS v WHERE v.hook_id = h.id) AS c ON true
LEFT JOIN LATERAL (
    SELECT sum(g.requests) FILTER (WHERE g.day = (now() AT TIME ZONE 'UTC')::date)::bigint AS requests_today,
        sum(g.prompt_tokens + g.completion_tokens) FILTER (WHERE g.day = (now() AT TIME ZONE 'UTC')::date)::bigint AS tokens_today,
        sum(g.prompt_tokens + g.completion_tokens)::bigint AS tokens
    FROM zerodb.usage AS g WHERE g.hook_id = h.id) AS u ON true;
COMMENT ON VIEW zerodb.hook_status IS 'Of each hook: deliveries that wait or run, exactly, the oldest one''s age, failures by class, rows with a result as last counted, tokens';
