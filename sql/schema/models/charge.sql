-- Weighing requests against budgets, and charging what they used.

-- Until the end of the transaction nobody else weighs or charges. 55P03 after 5 s: the worker asks again.
CREATE FUNCTION zerodb._lock_budgets() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$ BEGIN PERFORM zerodb._lock('budgets'); END $$;

-- Adds to the totals of every budget that applies. What is added must not be in the tables that _spent reads yet: a
-- budget without a total of today is added up first.
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
        greatest(t.tokens + c.tokens, 0), greatest(t.held_tokens + c.held_tokens, 0),
            greatest(t.requests + c.requests, 0)
    FROM (
        SELECT b.id, sum(n.tokens)::bigint AS tokens, sum(n.held_tokens)::bigint AS held_tokens,
            sum(n.requests) AS requests
        FROM unnest(users, projects, handlers, tokens, held_tokens, requests) AS n (user_id, project_id, handler,
            tokens, held_tokens, requests)
        JOIN zerodb.budget AS b ON (b.user_id = zerodb._every_user() OR b.user_id = n.user_id)
            AND (b.project_id IS NULL OR b.project_id = n.project_id) AND (b.handler IS NULL OR b.handler = n.handler)
        GROUP BY b.id
    ) AS c
    JOIN zerodb.budget AS b ON b.id = c.id
    CROSS JOIN LATERAL zerodb._budget_total(b) AS t
$$;

-- Weighs requests against the budgets that apply to them; returns those that must wait. Of several that fit one by one
-- and not together the first go; from the first that does not, they ask again in a second.
CREATE FUNCTION zerodb._weigh_requests(users uuid[], projects uuid[], handlers text[], tokens bigint[])
RETURNS TABLE (place integer, wait_ms bigint, reason text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    WITH request AS MATERIALIZED (
        -- A request of which nothing is known wants something all the same.
        SELECT r.user_id, r.project_id, r.handler, greatest(r.tokens, 1) AS tokens, r.place::integer AS place
        FROM unnest(users, projects, handlers, tokens)
            WITH ORDINALITY AS r (user_id, project_id, handler, tokens, place)
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
            AND coalesce(a.requests + count(*) FILTER (WHERE a.fits) OVER earlier <= a.requests_per_minute,
                true) AS goes
        FROM alone AS a WINDOW earlier AS (PARTITION BY a.id ORDER BY a.place)
    ), waits AS (
        SELECT t.place, t.handler, t.tokens_per_day, t.requests_per_minute, t.over_day
            OR t.requests_per_minute IS NULL AS of_day,
            CASE WHEN t.over_day THEN ((clock_timestamp() AT TIME ZONE 'UTC')::date + 1)::timestamp AT TIME ZONE 'UTC' - clock_timestamp()
                WHEN t.over_minute THEN date_trunc('minute',
                    clock_timestamp()) + interval '1 minute' - clock_timestamp()
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

-- May these requests be sent? Returns the places of those that must wait, with the ms and the reason; the others are
-- held where a budget applies. Asking again with the same id is asking once, but for the requests of the minute. Where
-- there is no budget this reads an empty table and writes nothing.
CREATE FUNCTION zerodb._check_budgets(ids uuid[], users uuid[], projects uuid[], handlers text[], tokens bigint[],
    hold interval)
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
    FROM unnest(ids, users, projects, handlers, tokens)
        WITH ORDINALITY AS r (id, user_id, project_id, handler, tokens, place)
    WHERE r.place <> ALL (waiting) AND EXISTS (SELECT FROM zerodb.budget AS b
        WHERE (b.user_id = zerodb._every_user() OR b.user_id = r.user_id)
            AND (b.project_id IS NULL OR b.project_id = r.project_id) AND (b.handler IS NULL OR b.handler = r.handler));
END
$$;

-- Charges what was used, before it is recorded, and frees what was held for it. Entries that are recorded already cost
-- nothing.
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
    FROM unnest(ids, users, projects, handlers, tokens, requests) AS u (id, user_id, project_id, handler, tokens,
        requests)
    WHERE (u.requests > 0 OR u.tokens > 0) AND NOT EXISTS (SELECT FROM zerodb.usage_entry AS e WHERE e.id = u.id)
        HAVING count(*) > 0;
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
        PERFORM zerodb._free_holds(ARRAY(SELECT h.id FROM zerodb.budget_hold AS h
            WHERE h.expires_at < clock_timestamp()));
    END IF;
    DELETE FROM zerodb.budget_total AS t
    WHERE t.seq < (SELECT l.seq FROM zerodb.budget_total AS l WHERE l.budget_id = t.budget_id ORDER BY l.seq DESC
        LIMIT 1)
        OR NOT EXISTS (SELECT FROM zerodb.budget AS b WHERE b.id = t.budget_id);
END
$$;
