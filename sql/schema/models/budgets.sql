-- Budgets: what the usage of models in a scope may not exceed. What exceeds one waits, it does not fail.

CREATE TABLE zerodb.budget (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    project_id uuid,
    handler text COLLATE "C" CHECK (handler ~ '[^[:space:]]'),
    imposed boolean NOT NULL,
    tokens_per_day bigint CHECK (tokens_per_day >= 0),
    requests_per_minute integer CHECK (requests_per_minute >= 0),
    set_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (tokens_per_day IS NOT NULL OR requests_per_minute IS NOT NULL),
    CONSTRAINT budget_key UNIQUE NULLS NOT DISTINCT (user_id, project_id, handler, imposed)
);
COMMENT ON TABLE zerodb.budget IS 'What the usage in its scope may not exceed, all together';
COMMENT ON COLUMN zerodb.budget.user_id IS 'The nil UUID: of every user';
COMMENT ON COLUMN zerodb.budget.imposed IS 'Set with admin rights: the user may set one beside it, but not change it';
SELECT pg_catalog.pg_extension_config_dump('zerodb.budget', '');

-- Requests that were let through and are not in the ledger yet, so that many at once do not exceed a budget together.
CREATE TABLE zerodb.budget_hold (
    id uuid PRIMARY KEY,
    expires_at timestamptz NOT NULL,
    user_id uuid NOT NULL,
    project_id uuid,
    tokens bigint NOT NULL,
    handler text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
COMMENT ON TABLE zerodb.budget_hold IS
    'Requests under way where a budget applies; the entry of the same id in zerodb.usage_entry replaces one';
CREATE INDEX budget_hold_expires ON zerodb.budget_hold (expires_at);

-- What each budget has spent, so that nobody has to add up a day: the last row of a budget counts, if it is of today.
-- Otherwise it is added up. Insert-only for the same reason as endpoint_admission; written only under the lock of
-- _lock_budgets.
CREATE TABLE zerodb.budget_total (
    budget_id uuid NOT NULL,
    seq bigint NOT NULL,
    minute timestamptz NOT NULL,
    tokens bigint NOT NULL,
    held_tokens bigint NOT NULL,
    requests bigint NOT NULL,
    day date NOT NULL,
    PRIMARY KEY (budget_id, seq)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
COMMENT ON TABLE zerodb.budget_total IS 'Running totals of budgets: the last row of each counts';
COMMENT ON COLUMN zerodb.budget_total.tokens IS 'Spent on that day (UTC), as in the ledger';
COMMENT ON COLUMN zerodb.budget_total.held_tokens IS 'Of requests under way';
COMMENT ON COLUMN zerodb.budget_total.requests IS 'Begun in that minute of the clock';

-- What the usage in a scope has spent today (UTC) and asked for in this minute of the clock, added up.
CREATE FUNCTION zerodb._spent(
    of_user uuid,
    of_project uuid,
    of_handler text,
    OUT tokens bigint,
    OUT held_tokens bigint,
    OUT requests bigint
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH clock AS MATERIALIZED (
        SELECT (c.now AT TIME ZONE 'UTC')::date AS today, date_trunc('minute', c.now) AS minute
            FROM (SELECT clock_timestamp() AS now) AS c
    ), entry AS (
        SELECT sum(e.prompt_tokens + e.completion_tokens) AS tokens,
            sum(e.requests) FILTER (WHERE e.at >= c.minute) AS requests
        FROM clock AS c JOIN zerodb.usage_entry AS e ON e.at >= c.today::timestamp AT TIME ZONE 'UTC'
        WHERE (of_user = zerodb._every_user() OR e.user_id = of_user)
            AND (of_project IS NULL OR e.project_id = of_project) AND (of_handler IS NULL OR e.handler = of_handler)
    ), day AS (
        SELECT sum(d.prompt_tokens + d.completion_tokens) AS tokens
        FROM clock AS c JOIN zerodb.usage_day AS d ON d.day = c.today
        WHERE (of_user = zerodb._every_user() OR d.user_id = of_user)
            AND (of_project IS NULL OR d.project_id = of_project) AND (of_handler IS NULL OR d.handler = of_handler)
    ), hold AS (
        SELECT sum(h.tokens) AS tokens, count(*) AS requests FROM zerodb.budget_hold AS h
        WHERE (of_user = zerodb._every_user() OR h.user_id = of_user)
            AND (of_project IS NULL OR h.project_id = of_project) AND (of_handler IS NULL OR h.handler = of_handler)
    )
    SELECT (coalesce(e.tokens, 0) + coalesce(d.tokens, 0))::bigint, coalesce(h.tokens, 0)::bigint,
        coalesce(e.requests, 0) + h.requests
    FROM entry AS e, day AS d, hold AS h
$$;

-- The running total of a budget as it is now.
CREATE FUNCTION zerodb._budget_total(
    budget zerodb.budget,
    OUT seq bigint,
    OUT tokens bigint,
    OUT held_tokens bigint,
    OUT requests bigint
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last record;
BEGIN
    SELECT t.* INTO last FROM zerodb.budget_total AS t WHERE t.budget_id = budget.id ORDER BY t.seq DESC LIMIT 1;
    seq := coalesce(last.seq, 0);
    IF last.day = (clock_timestamp() AT TIME ZONE 'UTC')::date THEN
        tokens := last.tokens;
        held_tokens := last.held_tokens;
        requests := CASE WHEN last.minute = date_trunc('minute', clock_timestamp()) THEN last.requests ELSE 0 END;
    ELSE
        SELECT s.tokens, s.held_tokens, s.requests INTO tokens, held_tokens, requests
        FROM zerodb._spent(budget.user_id, budget.project_id, budget.handler) AS s;
    END IF;
END
$$;

CREATE VIEW zerodb.budgets WITH (security_invoker = true) AS
SELECT
    b.user_id, b.project_id, b.handler, b.imposed,
    b.tokens_per_day, s.tokens AS tokens_today, greatest(b.tokens_per_day - s.tokens - s.held_tokens, 0) AS tokens_left,
    b.requests_per_minute, s.requests AS requests_this_minute,
        greatest(b.requests_per_minute - s.requests, 0) AS requests_left
FROM zerodb.budget AS b
CROSS JOIN LATERAL zerodb._spent(b.user_id, b.project_id, b.handler) AS s;
COMMENT ON VIEW zerodb.budgets IS 'Budgets with what is spent today (UTC) and in this minute, and what is left';

ALTER TABLE zerodb.budget ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.budget_hold ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON zerodb.budget_hold
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
-- A user sees the budgets that were imposed on it too.
CREATE POLICY tenant ON zerodb.budget FOR SELECT
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
