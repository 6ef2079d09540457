-- API: public. Backlog, rate and health, in a time that does not grow with the history or the backlog: everything is
-- counted to a limit, and the document says which limits were met.

CREATE FUNCTION zerodb.status() RETURNS jsonb
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'zerodb_api_anywhere';
COMMENT ON FUNCTION zerodb.status() IS
    'Backlog, oldest age, rate of the last minutes, live workers and the health of hooks, those with trouble first. Counts go up to a limit; "limited" names the fields that met theirs';

CREATE FUNCTION zerodb._status(caller oid) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    everybody boolean := zerodb._sees_all(caller);
    tenant uuid := zerodb._tenant(caller);
    unread record;
    waiting record;
    undecided bigint;
    running record;
    recent zerodb._recent_end[] := ARRAY(SELECT r FROM zerodb._recent_ends(everybody, tenant) AS r);
    span double precision := coalesce((SELECT min(r.seconds) FROM unnest(recent) AS r), 300);
    hooks jsonb := zerodb._status_hooks(everybody, tenant, recent);
BEGIN
    SELECT * INTO unread FROM zerodb._unread(everybody, tenant);
    SELECT * INTO waiting FROM zerodb._waits(everybody, tenant);
    SELECT coalesce(sum(r.n), 0) AS n, coalesce(bool_or(r.is_limited), false) AS is_limited INTO running
    FROM zerodb.__running_hooks(caller) AS r;
    SELECT count(*) INTO undecided FROM (
        SELECT FROM zerodb.candidate AS c WHERE everybody OR c.user_id = tenant LIMIT 10000) AS c;
    RETURN jsonb_build_object(
        'undispatched_events', unread.n,
        'waiting_deliveries', waiting.n,
        'undecided', undecided,
        'running_deliveries', running.n,
        'oldest_age_seconds', coalesce(round(extract(epoch FROM now() - least(unread.oldest, waiting.oldest)), 3), 0),
        'attempts_per_second', (SELECT coalesce(round((sum(r.completed + r.failed + r.discarded) / span)::numeric, 2), 0)
            FROM unnest(recent) AS r),
        'rate_seconds', round(span::numeric, 1),
        'workers', (SELECT coalesce(jsonb_agg(jsonb_build_object('worker', l.worker, 'alive',
            l.expires_at > clock_timestamp()) ORDER BY l.id), '[]') FROM zerodb.lease AS l),
        'hooks', hooks -> 'hooks',
        'limited', (SELECT coalesce(jsonb_agg(f.name), '[]') FROM (VALUES
            ('undispatched_events', unread.is_limited), ('waiting_deliveries', waiting.n >= 10000),
            ('undecided', undecided >= 10000), ('running_deliveries', running.is_limited),
            ('attempts_per_second', span < 300), ('hooks', (hooks -> 'limited')::boolean)) AS f (name, is_so)
            WHERE f.is_so));
END
$$;

-- The first 10,000 events that the dispatcher has still to read, and of them those of the tenant.
CREATE FUNCTION zerodb._unread(everybody boolean, tenant uuid, OUT n bigint, OUT oldest timestamptz, OUT is_limited boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT count(*) FILTER (WHERE everybody OR u.user_id = tenant),
        min(u.created_at) FILTER (WHERE everybody OR u.user_id = tenant), count(*) >= 10000
    FROM zerodb._undispatched(10000) AS u
$$;

-- Deliveries that wait, those that wait longest of each hook first.
CREATE FUNCTION zerodb._waits(everybody boolean, tenant uuid, OUT n bigint, OUT oldest timestamptz)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
BEGIN
    IF everybody THEN
        SELECT count(*), min(w.created_at) INTO n, oldest
        FROM (SELECT w.created_at FROM zerodb._waiting_delivery AS w LIMIT 10000) AS w;
    ELSE
        -- A tenant's are found by its hooks: a deleted one has none that wait.
        SELECT count(*), min(w.created_at) INTO n, oldest FROM (
            SELECT w.created_at FROM zerodb.zerodb_hooks AS h
            CROSS JOIN LATERAL (SELECT q.created_at FROM zerodb._waiting_delivery AS q WHERE q.hook_id = h.id LIMIT 10000) AS w
            WHERE h.user_id = tenant LIMIT 10000) AS w;
    END IF;
END
$$;

-- Deliveries that run, by hook: all of batches, and of those with a row what is among the last ones that workers took.
CREATE FUNCTION zerodb._running_hooks() RETURNS TABLE (hook_id uuid, n bigint, oldest timestamptz, is_limited boolean)
LANGUAGE c STABLE ROWS 20 AS 'MODULE_PATHNAME', 'zerodb_api_anywhere';

CREATE FUNCTION zerodb.__running_hooks(caller oid)
RETURNS TABLE (hook_id uuid, n bigint, oldest timestamptz, is_limited boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
    everybody boolean := zerodb._sees_all(caller);
    tenant uuid := zerodb._tenant(caller);
BEGIN
    RETURN QUERY
    SELECT r.hook_id, count(*), min(r.created_at), bool_or(r.is_limited) FROM (
        SELECT b.hook_id, b.user_id, b.created_at, false AS is_limited
        FROM zerodb._running_delivery AS b JOIN zerodb.lease AS l ON l.id = b.lease_id
        UNION ALL
        SELECT d.hook_id, d.user_id, d.created_at, d.is_limited FROM zerodb._leased_rows() AS d
    ) AS r
    WHERE everybody OR r.user_id = tenant GROUP BY r.hook_id;
END
$$;

-- What runs among the last 5,000 rows of zerodb.delivery that live leases got. The index keeps those that have ended
-- since, so that there may be any number of them; backwards it has the newest first, as the table grows.
CREATE FUNCTION zerodb._leased_rows()
RETURNS TABLE (hook_id uuid, user_id uuid, created_at timestamptz, is_limited boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
#variable_conflict use_column
DECLARE
    most bigint := 5000 / greatest((SELECT count(*) FROM zerodb.lease), 1);
BEGIN
    RETURN QUERY
    SELECT d.hook_id, d.user_id, d.created_at, d.number >= most
    FROM zerodb.lease AS l
    CROSS JOIN LATERAL (
        SELECT q.hook_id, q.user_id, q.created_at, q.state, count(*) OVER () AS number FROM (
            SELECT r.* FROM zerodb.delivery AS r WHERE r.lease_id = l.id ORDER BY r.lease_id DESC LIMIT most) AS q
    ) AS d
    WHERE d.state = 'running';
END
$$;
