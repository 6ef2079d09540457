-- What models were asked to do and for whom, and the budgets that this may not exceed.

-- Insert-only: requests of the last minutes, one row for what was answered together. They leave for usage_day.
CREATE TABLE zerodb.usage_entry (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    user_id uuid NOT NULL,
    project_id uuid,
    hook_id uuid,
    prompt_tokens bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    requests integer NOT NULL,
    inputs integer NOT NULL,
    estimated boolean NOT NULL,
    handler text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
COMMENT ON TABLE zerodb.usage_entry IS 'Usage of models in the last minutes; older usage is in zerodb.usage_day';
COMMENT ON COLUMN zerodb.usage_entry.id IS 'Chosen by the worker, so that what is written twice counts once';
COMMENT ON COLUMN zerodb.usage_entry.user_id IS 'Of the event; the nil UUID where it has none';
COMMENT ON COLUMN zerodb.usage_entry.estimated IS 'The provider named no tokens';
CREATE INDEX usage_entry_at ON zerodb.usage_entry (at);
SELECT pg_catalog.pg_extension_config_dump('zerodb.usage_entry', '');

CREATE TABLE zerodb.usage_day (
    day date NOT NULL,
    user_id uuid NOT NULL,
    project_id uuid,
    hook_id uuid,
    prompt_tokens bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    estimated_tokens bigint NOT NULL,
    requests bigint NOT NULL,
    inputs bigint NOT NULL,
    handler text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    CONSTRAINT usage_day_key UNIQUE NULLS NOT DISTINCT (day, user_id, project_id, hook_id, handler, provider, model)
) WITH (fillfactor = 70);
COMMENT ON TABLE zerodb.usage_day IS 'Usage of models by day (UTC), without that of the last minutes';
COMMENT ON COLUMN zerodb.usage_day.estimated_tokens IS 'How many of the tokens were estimated';
SELECT pg_catalog.pg_extension_config_dump('zerodb.usage_day', '');

CREATE VIEW zerodb.usage WITH (security_invoker = true) AS
SELECT
    u.day, u.user_id, u.project_id, u.handler, u.hook_id, u.provider, u.model,
    sum(u.requests)::bigint AS requests,
    sum(u.inputs)::bigint AS inputs,
    sum(u.prompt_tokens)::bigint AS prompt_tokens,
    sum(u.completion_tokens)::bigint AS completion_tokens,
    round(coalesce(sum(u.estimated_tokens) / nullif(sum(u.prompt_tokens + u.completion_tokens), 0), 0), 4) AS estimated_share
FROM (
    SELECT d.day, d.user_id, d.project_id, d.handler, d.hook_id, d.provider, d.model, d.requests, d.inputs, d.prompt_tokens,
        d.completion_tokens, d.estimated_tokens
    FROM zerodb.usage_day AS d
    UNION ALL
    SELECT (e.at AT TIME ZONE 'UTC')::date, e.user_id, e.project_id, e.handler, e.hook_id, e.provider, e.model, e.requests, e.inputs,
        e.prompt_tokens, e.completion_tokens, CASE WHEN e.estimated THEN e.prompt_tokens + e.completion_tokens ELSE 0 END
    FROM zerodb.usage_entry AS e
) AS u
GROUP BY u.day, u.user_id, u.project_id, u.handler, u.hook_id, u.provider, u.model;
COMMENT ON VIEW zerodb.usage IS 'Requests and tokens by day (UTC), user, project, handler, hook, provider and model';

CREATE TABLE zerodb.budget (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    project_id uuid,
    handler text COLLATE "C" CHECK (handler ~ '\S'),
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
COMMENT ON TABLE zerodb.budget_hold IS 'Tokens of requests under way where a budget applies; the entry of the same id in zerodb.usage_entry replaces one';
CREATE INDEX budget_hold_expires ON zerodb.budget_hold (expires_at);

-- What the usage in a scope has spent: tokens of today (UTC), requests of the last 60 seconds, the oldest of these, and what
-- is held.
CREATE FUNCTION zerodb._spent(
    of_user uuid,
    of_project uuid,
    of_handler text,
    OUT tokens_today bigint,
    OUT requests_last_minute bigint,
    OUT oldest_request timestamptz,
    OUT held_tokens bigint,
    OUT held_requests bigint
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH clock AS MATERIALIZED (
        SELECT c.now, (c.now AT TIME ZONE 'UTC')::date AS today, c.now - interval '60 seconds' AS minute
        FROM (SELECT clock_timestamp() AS now) AS c
    ), entry AS (
        SELECT sum(e.prompt_tokens + e.completion_tokens) FILTER (WHERE e.at >= c.today::timestamp AT TIME ZONE 'UTC') AS tokens,
            sum(e.requests) FILTER (WHERE e.at > c.minute) AS requests,
            min(e.at) FILTER (WHERE e.at > c.minute AND e.requests > 0) AS oldest
        FROM clock AS c JOIN zerodb.usage_entry AS e ON e.at >= least(c.today::timestamp AT TIME ZONE 'UTC', c.minute)
        WHERE (of_user = zerodb._every_user() OR e.user_id = of_user)
            AND (of_project IS NULL OR e.project_id = of_project) AND (of_handler IS NULL OR e.handler = of_handler)
    ), day AS (
        SELECT sum(d.prompt_tokens + d.completion_tokens) AS tokens
        FROM clock AS c JOIN zerodb.usage_day AS d ON d.day = c.today
        WHERE (of_user = zerodb._every_user() OR d.user_id = of_user)
            AND (of_project IS NULL OR d.project_id = of_project) AND (of_handler IS NULL OR d.handler = of_handler)
    ), hold AS (
        SELECT sum(h.tokens) AS tokens, count(*) AS requests
        FROM clock AS c JOIN zerodb.budget_hold AS h ON h.expires_at > c.now
        WHERE (of_user = zerodb._every_user() OR h.user_id = of_user)
            AND (of_project IS NULL OR h.project_id = of_project) AND (of_handler IS NULL OR h.handler = of_handler)
    )
    SELECT (coalesce(e.tokens, 0) + coalesce(d.tokens, 0))::bigint, coalesce(e.requests, 0), e.oldest,
        coalesce(h.tokens, 0)::bigint, h.requests
    FROM entry AS e, day AS d, hold AS h
$$;

-- Weighs requests against the budgets that apply to them. Returns those that must wait; the others are held where one applies.
-- Of several that fit one by one and not together the first go; from the first that does not, they ask again in a second.
CREATE FUNCTION zerodb._weigh_requests(ids uuid[], users uuid[], projects uuid[], handlers text[], tokens bigint[], hold interval)
RETURNS TABLE (place integer, wait_ms bigint, reason text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    WITH request AS MATERIALIZED (
        SELECT r.id, r.user_id, r.project_id, r.handler, r.tokens, r.place::integer AS place
        FROM unnest(ids, users, projects, handlers, tokens) WITH ORDINALITY AS r (id, user_id, project_id, handler, tokens, place)
    ), applies AS MATERIALIZED (
        SELECT b.id AS budget_id, r.place, r.tokens FROM zerodb.budget AS b
        JOIN request AS r ON (b.user_id = zerodb._every_user() OR b.user_id = r.user_id)
            AND (b.project_id IS NULL OR b.project_id = r.project_id) AND (b.handler IS NULL OR b.handler = r.handler)
    ), state AS MATERIALIZED (
        SELECT b.id, b.handler, b.tokens_per_day, b.requests_per_minute, s.*
        FROM zerodb.budget AS b CROSS JOIN LATERAL zerodb._spent(b.user_id, b.project_id, b.handler) AS s
        WHERE b.id IN (SELECT a.budget_id FROM applies AS a)
    ), alone AS (
        SELECT a.place, a.tokens, s.*, coalesce(s.tokens_today + a.tokens > s.tokens_per_day, false) AS over_day,
            coalesce(s.requests_last_minute + 1 > s.requests_per_minute, false) AS over_minute,
            coalesce(s.tokens_today + s.held_tokens + a.tokens <= s.tokens_per_day, true)
                AND coalesce(s.requests_last_minute + s.held_requests + 1 <= s.requests_per_minute, true) AS fits
        FROM applies AS a JOIN state AS s ON s.id = a.budget_id
    ), together AS (
        SELECT a.*, a.fits
            AND coalesce(a.tokens_today + a.held_tokens + sum(a.tokens) FILTER (WHERE a.fits) OVER earlier <= a.tokens_per_day, true)
            AND coalesce(a.requests_last_minute + a.held_requests + count(*) FILTER (WHERE a.fits) OVER earlier
                <= a.requests_per_minute, true) AS goes
        FROM alone AS a WINDOW earlier AS (PARTITION BY a.id ORDER BY a.place)
    ), waits AS (
        SELECT t.place, t.handler, t.tokens_per_day, t.requests_per_minute, t.over_day OR t.requests_per_minute IS NULL AS of_day,
            CASE WHEN t.over_day THEN ((clock_timestamp() AT TIME ZONE 'UTC')::date + 1)::timestamp AT TIME ZONE 'UTC' - clock_timestamp()
                WHEN t.over_minute THEN coalesce(t.oldest_request, clock_timestamp()) + interval '60 seconds' - clock_timestamp()
                ELSE interval '1 second' END AS wait
        FROM together AS t WHERE NOT t.goes
    ), blocked AS MATERIALIZED (
        SELECT DISTINCT ON (w.place) w.* FROM waits AS w ORDER BY w.place, w.wait DESC
    ), held AS (
        INSERT INTO zerodb.budget_hold (id, expires_at, user_id, project_id, tokens, handler)
        SELECT r.id, clock_timestamp() + hold, r.user_id, r.project_id, r.tokens, r.handler FROM request AS r
        WHERE r.place IN (SELECT a.place FROM applies AS a) AND r.place NOT IN (SELECT b.place FROM blocked AS b)
        ON CONFLICT (id) DO NOTHING
    )
    SELECT b.place, greatest(ceil(extract(epoch FROM b.wait) * 1000)::bigint, 1),
        CASE WHEN b.of_day THEN 'the budget of ' || b.tokens_per_day || ' tokens a day'
            ELSE 'the budget of ' || b.requests_per_minute || ' requests a minute' END
            || coalesce(' for ' || b.handler, '') || ' is used up'
    FROM blocked AS b
$$;

-- May these requests be sent? Returns the places of those that must wait, with the ms and the reason; asking again with the
-- same id is asking once. Where there is no budget this reads an empty table and writes nothing.
CREATE FUNCTION zerodb._check_budgets(ids uuid[], users uuid[], projects uuid[], handlers text[], tokens bigint[], hold interval)
RETURNS TABLE (place integer, wait_ms bigint, reason text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM zerodb.budget) THEN
        RETURN;
    END IF;
    PERFORM set_config('synchronous_commit', 'off', true);
    -- ("zero", 6): one weighs at a time, so that nobody overlooks what another one holds.
    PERFORM pg_advisory_xact_lock(2053468783, 6);
    DELETE FROM zerodb.budget_hold AS h WHERE h.id = ANY (ids);
    RETURN QUERY SELECT w.* FROM zerodb._weigh_requests(ids, users, projects, handlers, tokens, hold) AS w;
END
$$;

-- API: public.
CREATE FUNCTION zerodb.set_budget(
    tokens_per_day bigint DEFAULT NULL,
    requests_per_minute integer DEFAULT NULL,
    user_id uuid DEFAULT NULL,
    project_id uuid DEFAULT NULL,
    handler text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    acting uuid := zerodb._acting_user(user_id);
    by_admin boolean := zerodb._sees_all();
BEGIN
    IF tokens_per_day < 0 OR requests_per_minute < 0 THEN
        RAISE EXCEPTION 'a budget cannot be negative'
            USING ERRCODE = '22023', HINT = 'Give 0 to allow nothing, or NULL for both to remove the budget.';
    END IF;
    IF handler !~ '\S' THEN
        RAISE EXCEPTION 'the handler of a budget is empty'
            USING ERRCODE = '22023', HINT = 'Name a handler such as ''auto_embed'', or NULL for all of them.';
    END IF;
    IF tokens_per_day IS NULL AND requests_per_minute IS NULL THEN
        DELETE FROM zerodb.budget AS b
        WHERE b.user_id = acting AND b.project_id IS NOT DISTINCT FROM set_budget.project_id
            AND b.handler IS NOT DISTINCT FROM set_budget.handler AND b.imposed = by_admin;
        RETURN;
    END IF;
    INSERT INTO zerodb.budget (user_id, project_id, handler, imposed, tokens_per_day, requests_per_minute)
    VALUES (acting, set_budget.project_id, set_budget.handler, by_admin, set_budget.tokens_per_day, set_budget.requests_per_minute)
    ON CONFLICT ON CONSTRAINT budget_key DO UPDATE
    SET tokens_per_day = excluded.tokens_per_day, requests_per_minute = excluded.requests_per_minute, set_at = excluded.set_at;
END
$$;
COMMENT ON FUNCTION zerodb.set_budget(bigint, integer, uuid, uuid, text) IS 'Limits what models may be used for a user (or all together), a project, a handler; NULL for both limits removes it; what exceeds it waits';

CREATE VIEW zerodb.budgets WITH (security_invoker = true) AS
SELECT
    b.user_id, b.project_id, b.handler, b.imposed,
    b.tokens_per_day, s.tokens_today, greatest(b.tokens_per_day - s.tokens_today - s.held_tokens, 0) AS tokens_left,
    b.requests_per_minute, s.requests_last_minute,
    greatest(b.requests_per_minute - s.requests_last_minute - s.held_requests, 0) AS requests_left
FROM zerodb.budget AS b
CROSS JOIN LATERAL zerodb._spent(b.user_id, b.project_id, b.handler) AS s;
COMMENT ON VIEW zerodb.budgets IS 'Budgets with what is spent today (UTC) and in the last minute, and what is left';

ALTER TABLE zerodb.usage_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.usage_day ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.budget ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.budget_hold ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON zerodb.usage_entry
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.usage_day
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.budget_hold
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.budget FOR SELECT
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
-- A user sees the budgets that were imposed, and changes none of them.
CREATE POLICY own ON zerodb.budget
USING ((SELECT zerodb._sees_all()) OR (user_id = (SELECT zerodb._user_id()) AND NOT imposed));
