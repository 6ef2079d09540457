-- API: public. How far each hook has come, and what it costs.

-- How many rows of a hook's tables have a result, counted by the worker now and then: counting ten million rows takes
-- longer than anybody who looks wants to wait, so the worker spends at most a hundredth of its time on it.
CREATE TABLE zerodb.coverage (
    hook_id uuid NOT NULL REFERENCES zerodb.zerodb_hooks ON DELETE CASCADE,
    relid oid NOT NULL,
    total bigint NOT NULL,
    done bigint NOT NULL,
    counted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    took interval NOT NULL,
    PRIMARY KEY (hook_id, relid)
) WITH (fillfactor = 50);
COMMENT ON TABLE zerodb.coverage IS
    'Rows of the tables of auto_embed hooks, and those with a vector, when they were last counted';

-- For due_coverage.sql, which the worker asks every few seconds: these hooks, and not all.
CREATE INDEX zerodb_hooks_embedding ON zerodb.zerodb_hooks (event_type)
    WHERE is_active AND hook_type = 'first_party' AND hook_name = 'auto_embed';

-- Of each hook what waits is counted to 100,000, and of its failures the newest 200, so that neither a backlog nor the
-- history makes it slow. What runs is few. The class of a failure is what stands before the first colon, where it is one
-- word; `other` for all else. Failures are grouped by what stands there before it is matched, and only of hooks that
-- have any: of ten thousand hooks most have none.
CREATE VIEW zerodb.hook_status WITH (security_invoker = true) AS
SELECT h.id AS hook_id, h.hook_name, h.event_type, h.is_active,
    coalesce(w.pending, 0) + coalesce(r.running, 0) AS pending,
    coalesce(e.deferred, 0) AS deferred,
    coalesce(e.discarded, 0) AS discarded,
    now() - least(w.oldest, r.oldest) AS oldest_pending_age,
    coalesce(e.errors, '{}') AS errors,
    c.total, c.done,
    round(100.0 * c.done / nullif(c.total, 0), 2) AS coverage_percent,
    c.counted_at,
    CASE WHEN s.requests_today > 9223372036854775807 THEN 9223372036854775807 ELSE s.requests_today END::bigint
        AS requests_today,
    CASE WHEN s.tokens_today > 9223372036854775807 THEN 9223372036854775807 ELSE s.tokens_today END::bigint
        AS tokens_today,
    CASE WHEN s.tokens > 9223372036854775807 THEN 9223372036854775807 ELSE s.tokens END::bigint AS tokens,
    x.reason AS fault,
    y.failing_since
FROM zerodb.zerodb_hooks AS h
LEFT JOIN LATERAL (
    SELECT count(*) AS pending, min(q.created_at) AS oldest FROM (
        SELECT d.created_at FROM zerodb.delivery AS d
        WHERE d.hook_id = h.id AND d.due_at IS NOT NULL LIMIT 100000) AS q) AS w ON true
LEFT JOIN (SELECT q.hook_id, q.n AS running, q.oldest FROM zerodb._running_hooks() AS q) AS r ON r.hook_id = h.id
LEFT JOIN LATERAL (
    SELECT sum(k.discarded)::bigint AS discarded, sum(k.deferred)::bigint AS deferred,
        jsonb_object_agg(k.class, k.n) AS errors
    FROM (
        SELECT coalesce(substring(g.start FROM '^([a-z][a-z_]{1,40}):$'), 'other') AS class, sum(g.n)::bigint AS n,
            sum(g.discarded) AS discarded, sum(g.deferred) AS deferred
        FROM (
            SELECT left(f.error, strpos(f.error, ': ')) AS start, count(*) AS n,
                count(*) FILTER (WHERE f.is_discarded) AS discarded,
                count(*) FILTER (WHERE f.is_deferred) AS deferred
            FROM (
                SELECT q.last_error AS error, q.state = 'discarded' AS is_discarded,
                    q.state = 'pending' AND q.due_at IS NOT NULL AS is_deferred
                FROM (
                    SELECT d.last_error, d.state, d.due_at FROM zerodb.delivery AS d
                    -- As a range, so that the order is that of delivery_error and of no other index.
                    WHERE (d.hook_id, d.id) >= (h.id, 0) AND (d.hook_id, d.id) <= (h.id, 9223372036854775807)
                        AND d.last_error IS NOT NULL
                    ORDER BY d.hook_id DESC, d.id DESC LIMIT 200) AS q
                WHERE q.state IN ('pending', 'retryable', 'discarded')
                UNION ALL
                SELECT b.error, false, false FROM (
                    SELECT a.error FROM zerodb.backfill_failure AS a WHERE a.hook_id = h.id LIMIT 200) AS b) AS f
            GROUP BY 1) AS g
        WHERE EXISTS (SELECT FROM zerodb.delivery AS d WHERE d.hook_id = h.id AND d.last_error IS NOT NULL)
            OR EXISTS (SELECT FROM zerodb.backfill_failure AS a WHERE a.hook_id = h.id)
        GROUP BY 1) AS k) AS e ON true
LEFT JOIN LATERAL (SELECT sum(v.total)::bigint AS total, sum(v.done)::bigint AS done, min(v.counted_at) AS counted_at
    FROM zerodb.coverage AS v WHERE v.hook_id = h.id) AS c ON true
LEFT JOIN LATERAL (
    SELECT sum(g.requests) FILTER (WHERE g.day = (now() AT TIME ZONE 'UTC')::date) AS requests_today,
        sum(g.prompt_tokens::numeric + g.completion_tokens)
            FILTER (WHERE g.day = (now() AT TIME ZONE 'UTC')::date) AS tokens_today,
        sum(g.prompt_tokens::numeric + g.completion_tokens) AS tokens
    FROM zerodb.usage_day AS g WHERE g.hook_id = h.id) AS u ON true
-- What is not rolled up yet has no index on its hook, so all of it is read, once.
LEFT JOIN (
    SELECT g.hook_id, sum(g.requests) FILTER (WHERE g.is_today) AS requests_today,
        sum(g.tokens) FILTER (WHERE g.is_today) AS tokens_today, sum(g.tokens) AS tokens
    FROM (
        SELECT e.hook_id, e.requests, e.prompt_tokens::numeric + e.completion_tokens AS tokens,
            (e.at AT TIME ZONE 'UTC')::date = (now() AT TIME ZONE 'UTC')::date AS is_today
        FROM zerodb.usage_entry AS e) AS g
    GROUP BY g.hook_id) AS n ON n.hook_id = h.id
-- Null for a hook that never asked a model.
CROSS JOIN LATERAL (
    SELECT coalesce(u.requests_today + n.requests_today, u.requests_today, n.requests_today) AS requests_today,
        coalesce(u.tokens_today + n.tokens_today, u.tokens_today, n.tokens_today) AS tokens_today,
        coalesce(u.tokens + n.tokens, u.tokens, n.tokens) AS tokens) AS s
LEFT JOIN zerodb.hook_fault AS x ON x.hook_id = h.id
LEFT JOIN zerodb.hook_health AS y ON y.hook_id = h.id;
COMMENT ON VIEW zerodb.hook_status IS
    'Of each hook: deliveries that wait or run, to 100,000, the oldest one''s age, its newest 200 failures by class, rows with a result as last counted, tokens, why the worker switched it off, and since when its attempts fail';
