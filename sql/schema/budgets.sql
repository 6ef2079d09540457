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
COMMENT ON TABLE zerodb.budget_hold IS 'Requests under way where a budget applies; the entry of the same id in zerodb.usage_entry replaces one';
CREATE INDEX budget_hold_expires ON zerodb.budget_hold (expires_at);

-- What each budget has spent, so that nobody has to add up a day: the last row of a budget counts, if it is of today. Otherwise
-- it is added up. Insert-only for the same reason as endpoint_admission; written only under the lock of _lock_budgets.
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
        SELECT (c.now AT TIME ZONE 'UTC')::date AS today, date_trunc('minute', c.now) AS minute FROM (SELECT clock_timestamp() AS now) AS c
    ), entry AS (
        SELECT sum(e.prompt_tokens + e.completion_tokens) AS tokens, sum(e.requests) FILTER (WHERE e.at >= c.minute) AS requests
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
    SELECT (coalesce(e.tokens, 0) + coalesce(d.tokens, 0))::bigint, coalesce(h.tokens, 0)::bigint, coalesce(e.requests, 0) + h.requests
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

-- Until the end of the transaction nobody else weighs or charges. 55P03 after 5 s: the worker asks again.
CREATE FUNCTION zerodb._lock_budgets() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$ BEGIN PERFORM zerodb._lock('budgets'); END $$;

-- Adds to the totals of every budget that applies. What is added must not be in the tables that _spent reads yet: a budget
-- without a total of today is added up first.
CREATE FUNCTION zerodb._charge_budgets(
    users uuid[],
    projects uuid[],
    handlers text[],
    tokens bigint[],
    held_tokens bigint[],
    requests integer[]
) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO zerodb.budget_total (budget_id, seq, day, minute, tokens, held_tokens, requests)
    SELECT c.id, t.seq + 1, (clock_timestamp() AT TIME ZONE 'UTC')::date, date_trunc('minute', clock_timestamp()),
        greatest(t.tokens + c.tokens, 0), greatest(t.held_tokens + c.held_tokens, 0), greatest(t.requests + c.requests, 0)
    FROM (
        SELECT b.id, sum(n.tokens)::bigint AS tokens, sum(n.held_tokens)::bigint AS held_tokens, sum(n.requests) AS requests
        FROM unnest(users, projects, handlers, tokens, held_tokens, requests) AS n (user_id, project_id, handler, tokens, held_tokens, requests)
        JOIN zerodb.budget AS b ON (b.user_id = zerodb._every_user() OR b.user_id = n.user_id)
            AND (b.project_id IS NULL OR b.project_id = n.project_id) AND (b.handler IS NULL OR b.handler = n.handler)
        GROUP BY b.id
    ) AS c
    JOIN zerodb.budget AS b ON b.id = c.id
    CROSS JOIN LATERAL zerodb._budget_total(b) AS t
$$;

-- Weighs requests against the budgets that apply to them; returns those that must wait. Of several that fit one by one and not
-- together the first go; from the first that does not, they ask again in a second.
CREATE FUNCTION zerodb._weigh_requests(users uuid[], projects uuid[], handlers text[], tokens bigint[])
RETURNS TABLE (place integer, wait_ms bigint, reason text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    WITH request AS MATERIALIZED (
        -- A request of which nothing is known wants something all the same.
        SELECT r.user_id, r.project_id, r.handler, greatest(r.tokens, 1) AS tokens, r.place::integer AS place
        FROM unnest(users, projects, handlers, tokens) WITH ORDINALITY AS r (user_id, project_id, handler, tokens, place)
    ), applies AS MATERIALIZED (
        SELECT b.id AS budget_id, r.place, r.tokens AS wanted FROM zerodb.budget AS b
        JOIN request AS r ON (b.user_id = zerodb._every_user() OR b.user_id = r.user_id)
            AND (b.project_id IS NULL OR b.project_id = r.project_id) AND (b.handler IS NULL OR b.handler = r.handler)
    ), state AS MATERIALIZED (
        SELECT b.id, b.handler, b.tokens_per_day, b.requests_per_minute, t.*
        FROM zerodb.budget AS b CROSS JOIN LATERAL zerodb._budget_total(b) AS t
        WHERE b.id IN (SELECT a.budget_id FROM applies AS a)
    ), alone AS (
        SELECT a.place, a.wanted, s.*, coalesce(s.tokens + a.wanted > s.tokens_per_day, false) AS over_day,
            coalesce(s.requests + 1 > s.requests_per_minute, false) AS over_minute,
            coalesce(s.tokens + s.held_tokens + a.wanted <= s.tokens_per_day, true)
                AND coalesce(s.requests + 1 <= s.requests_per_minute, true) AS fits
        FROM applies AS a JOIN state AS s ON s.id = a.budget_id
    ), together AS (
        SELECT a.*, a.fits
            AND coalesce(a.tokens + a.held_tokens + sum(a.wanted) FILTER (WHERE a.fits) OVER earlier <= a.tokens_per_day, true)
            AND coalesce(a.requests + count(*) FILTER (WHERE a.fits) OVER earlier <= a.requests_per_minute, true) AS goes
        FROM alone AS a WINDOW earlier AS (PARTITION BY a.id ORDER BY a.place)
    ), waits AS (
        SELECT t.place, t.handler, t.tokens_per_day, t.requests_per_minute, t.over_day OR t.requests_per_minute IS NULL AS of_day,
            CASE WHEN t.over_day THEN ((clock_timestamp() AT TIME ZONE 'UTC')::date + 1)::timestamp AT TIME ZONE 'UTC' - clock_timestamp()
                WHEN t.over_minute THEN date_trunc('minute', clock_timestamp()) + interval '1 minute' - clock_timestamp()
                ELSE interval '1 second' END AS wait
        FROM together AS t WHERE NOT t.goes
    ), longest AS (
        SELECT DISTINCT ON (w.place) w.* FROM waits AS w ORDER BY w.place, w.wait DESC
    )
    SELECT l.place, greatest(ceil(extract(epoch FROM l.wait) * 1000)::bigint, 1),
        CASE WHEN l.of_day THEN 'the budget of ' || l.tokens_per_day || ' tokens a day'
            ELSE 'the budget of ' || l.requests_per_minute || ' requests a minute' END
            || coalesce(' for ' || l.handler, '') || ' is used up'
    FROM longest AS l
$$;

-- Removes what is held and takes it from the totals. The caller holds the lock.
CREATE FUNCTION zerodb._free_holds(ids uuid[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM zerodb._charge_budgets(array_agg(h.user_id), array_agg(h.project_id), array_agg(h.handler),
        array_agg(0::bigint), array_agg(-h.tokens), array_agg(0))
    FROM zerodb.budget_hold AS h WHERE h.id = ANY (ids) HAVING count(*) > 0;
    DELETE FROM zerodb.budget_hold AS h WHERE h.id = ANY (ids);
END
$$;

-- May these requests be sent? Returns the places of those that must wait, with the ms and the reason; the others are held where
-- a budget applies. Asking again with the same id is asking once, but for the requests of the minute. Where there is no budget
-- this reads an empty table and writes nothing.
CREATE FUNCTION zerodb._check_budgets(ids uuid[], users uuid[], projects uuid[], handlers text[], tokens bigint[], hold interval)
RETURNS TABLE (place integer, wait_ms bigint, reason text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    waiting integer[] := '{}';
BEGIN
    IF NOT EXISTS (SELECT FROM zerodb.budget) THEN
        RETURN;
    END IF;
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM zerodb._lock_budgets();
    PERFORM zerodb._free_holds(ids);
    FOR place, wait_ms, reason IN
        SELECT w.place, w.wait_ms, w.reason FROM zerodb._weigh_requests(users, projects, handlers, tokens) AS w
    LOOP
        waiting := waiting || place;
        RETURN NEXT;
    END LOOP;
    PERFORM zerodb._charge_budgets(array_agg(r.user_id), array_agg(r.project_id), array_agg(r.handler),
        array_agg(0::bigint), array_agg(r.tokens), array_agg(1))
    FROM unnest(users, projects, handlers, tokens) WITH ORDINALITY AS r (user_id, project_id, handler, tokens, place)
    WHERE r.place <> ALL (waiting) HAVING count(*) > 0;
    INSERT INTO zerodb.budget_hold (id, expires_at, user_id, project_id, tokens, handler)
    SELECT r.id, clock_timestamp() + hold, r.user_id, r.project_id, r.tokens, r.handler
    FROM unnest(ids, users, projects, handlers, tokens) WITH ORDINALITY AS r (id, user_id, project_id, handler, tokens, place)
    WHERE r.place <> ALL (waiting) AND EXISTS (SELECT FROM zerodb.budget AS b
        WHERE (b.user_id = zerodb._every_user() OR b.user_id = r.user_id)
            AND (b.project_id IS NULL OR b.project_id = r.project_id) AND (b.handler IS NULL OR b.handler = r.handler));
END
$$;

-- Charges what was used, before it is recorded, and frees what was held for it. Entries that are recorded already cost nothing.
CREATE FUNCTION zerodb._charge_usage(
    ids uuid[],
    users uuid[],
    projects uuid[],
    handlers text[],
    tokens bigint[],
    requests integer[]
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM zerodb.budget) THEN
        RETURN;
    END IF;
    PERFORM zerodb._lock_budgets();
    PERFORM zerodb._charge_budgets(array_agg(u.user_id), array_agg(u.project_id), array_agg(u.handler),
        array_agg(u.tokens), array_agg(0::bigint),
        -- The first request of one that was held was counted when it was let through.
        array_agg(u.requests - EXISTS (SELECT FROM zerodb.budget_hold AS h WHERE h.id = u.id)::integer))
    FROM unnest(ids, users, projects, handlers, tokens, requests) AS u (id, user_id, project_id, handler, tokens, requests)
    WHERE (u.requests > 0 OR u.tokens > 0) AND NOT EXISTS (SELECT FROM zerodb.usage_entry AS e WHERE e.id = u.id) HAVING count(*) > 0;
    PERFORM zerodb._free_holds(ids);
END
$$;

-- Frees what is held for requests that were never recorded, and forgets totals that no longer count.
CREATE FUNCTION zerodb._tidy_budgets() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM zerodb.budget_hold AS h WHERE h.expires_at < clock_timestamp()) THEN
        PERFORM zerodb._lock_budgets();
        PERFORM zerodb._free_holds(ARRAY(SELECT h.id FROM zerodb.budget_hold AS h WHERE h.expires_at < clock_timestamp()));
    END IF;
    DELETE FROM zerodb.budget_total AS t
    WHERE t.seq < (SELECT l.seq FROM zerodb.budget_total AS l WHERE l.budget_id = t.budget_id ORDER BY l.seq DESC LIMIT 1)
        OR NOT EXISTS (SELECT FROM zerodb.budget AS b WHERE b.id = t.budget_id);
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
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.set_budget(bigint, integer, uuid, uuid, text) IS 'Limits what models may be used for a user (or all together), a project, a handler; NULL for both limits removes it; what exceeds it waits';

CREATE FUNCTION zerodb._set_budget(
    caller oid,
    tokens_per_day bigint,
    requests_per_minute integer,
    user_id uuid,
    project_id uuid,
    handler text
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    acting uuid := zerodb._acting_user(caller, user_id);
    by_admin boolean := zerodb._sees_all(caller);
BEGIN
    IF tokens_per_day < 0 OR requests_per_minute < 0 THEN
        RAISE EXCEPTION 'a budget cannot be negative'
            USING ERRCODE = '22023', HINT = 'Give 0 to allow nothing, or NULL for both to remove the budget.';
    END IF;
    IF handler !~ '[^[:space:]]' THEN
        RAISE EXCEPTION 'the handler of a budget is empty'
            USING ERRCODE = '22023', HINT = 'Name a handler such as ''auto_embed'', or NULL for all of them.';
    END IF;
    IF tokens_per_day IS NULL AND requests_per_minute IS NULL THEN
        DELETE FROM zerodb.budget AS b
        WHERE b.user_id = acting AND b.project_id IS NOT DISTINCT FROM _set_budget.project_id
            AND b.handler IS NOT DISTINCT FROM _set_budget.handler AND b.imposed = by_admin;
        RETURN;
    END IF;
    INSERT INTO zerodb.budget (user_id, project_id, handler, imposed, tokens_per_day, requests_per_minute)
    VALUES (acting, _set_budget.project_id, _set_budget.handler, by_admin, _set_budget.tokens_per_day, _set_budget.requests_per_minute)
    ON CONFLICT ON CONSTRAINT budget_key DO UPDATE
    SET tokens_per_day = excluded.tokens_per_day, requests_per_minute = excluded.requests_per_minute, set_at = excluded.set_at;
END
$$;

CREATE VIEW zerodb.budgets WITH (security_invoker = true) AS
SELECT
    b.user_id, b.project_id, b.handler, b.imposed,
    b.tokens_per_day, s.tokens AS tokens_today, greatest(b.tokens_per_day - s.tokens - s.held_tokens, 0) AS tokens_left,
    b.requests_per_minute, s.requests AS requests_this_minute, greatest(b.requests_per_minute - s.requests, 0) AS requests_left
FROM zerodb.budget AS b
CROSS JOIN LATERAL zerodb._spent(b.user_id, b.project_id, b.handler) AS s;
COMMENT ON VIEW zerodb.budgets IS 'Budgets with what is spent today (UTC) and in this minute, and what is left';

ALTER TABLE zerodb.budget ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.budget_hold ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON zerodb.budget_hold
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
-- A user sees the budgets that were imposed on him too.
CREATE POLICY tenant ON zerodb.budget FOR SELECT
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
