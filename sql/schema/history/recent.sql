-- What ended in the last five minutes, by hook. Completions and attempts are only appended, so that the newest lie at
-- the end of each partition: a bounded number of its last blocks is read, whatever lies before them.

CREATE TYPE zerodb._recent_end AS (
    hook_id uuid,
    completed bigint,
    failed bigint,
    discarded bigint,
    -- How far back it was counted; less than 300 where more has ended than is read.
    seconds double precision
);

-- The first block to be read so that `most` are.
CREATE FUNCTION zerodb._last_blocks(relation text, slot integer, most bigint) RETURNS tid
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('(%s,0)', greatest(pg_relation_size(format('zerodb.%I', relation || '_' || slot)::regclass)
        / current_setting('block_size')::bigint - most, 0))::tid
$$;

CREATE FUNCTION zerodb._recent_ends(everybody boolean, tenant uuid) RETURNS SETOF zerodb._recent_end
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    since timestamptz := now() - interval '5 minutes';
    parts zerodb._recent_end[] := '{}';
BEGIN
    FOR slot IN 0 .. 7 LOOP
        parts := parts || ARRAY(SELECT r FROM zerodb._recent_completions(slot, since, everybody, tenant) AS r)
            || ARRAY(SELECT r FROM zerodb._recent_attempts(slot, since, everybody, tenant) AS r);
    END LOOP;
    RETURN QUERY
    SELECT p.hook_id, sum(p.completed)::bigint, sum(p.failed)::bigint, sum(p.discarded)::bigint,
        (SELECT min(q.seconds) FROM unnest(parts) AS q)
    FROM unnest(parts) AS p GROUP BY p.hook_id;
END
$$;

-- The last 512 blocks of one partition.
CREATE FUNCTION zerodb._recent_completions(slot integer, since timestamptz, everybody boolean, tenant uuid)
RETURNS SETOF zerodb._recent_end
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_indexscan = off
AS $$
DECLARE
    place tid;
    newest timestamptz;
    covered timestamptz := since;
BEGIN
    -- A table grows by up to 64 blocks at once, which are empty at first.
    FOREACH place IN ARRAY ARRAY[zerodb._last_blocks('completion', slot, 4), zerodb._last_blocks('completion', slot, 80)] LOOP
        SELECT max(c.finished_at) INTO newest FROM zerodb.completion AS c
        WHERE c.slot = _recent_completions.slot AND c.ctid >= place;
        EXIT WHEN newest IS NOT NULL;
    END LOOP;
    IF newest > since THEN
        place := zerodb._last_blocks('completion', slot, 512);
        IF place > '(0,0)' THEN
            SELECT greatest(since, min(c.finished_at)) INTO covered FROM zerodb.completion AS c
            WHERE c.slot = _recent_completions.slot AND c.ctid >= place;
        END IF;
        RETURN QUERY
        SELECT c.hook_id, sum(c.size)::bigint, 0::bigint, 0::bigint,
            greatest(extract(epoch FROM now() - covered), 1)::double precision
        FROM zerodb.completion AS c
        WHERE c.slot = _recent_completions.slot AND c.ctid >= place AND c.finished_at > since
            AND (everybody OR c.user_id = tenant)
        GROUP BY c.hook_id;
    END IF;
END
$$;

-- The last 80 blocks of one partition.
CREATE FUNCTION zerodb._recent_attempts(slot integer, since timestamptz, everybody boolean, tenant uuid)
RETURNS SETOF zerodb._recent_end
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    place tid;
    newest timestamptz;
    covered timestamptz := since;
BEGIN
    FOREACH place IN ARRAY ARRAY[zerodb._last_blocks('attempt', slot, 4), zerodb._last_blocks('attempt', slot, 80)] LOOP
        SELECT max(a.started_at) INTO newest FROM zerodb.attempt AS a
        WHERE a.slot = _recent_attempts.slot AND a.ctid >= place;
        EXIT WHEN newest IS NOT NULL;
    END LOOP;
    IF newest > since THEN
        place := zerodb._last_blocks('attempt', slot, 80);
        IF place > '(0,0)' THEN
            SELECT greatest(since, min(a.started_at)) INTO covered FROM zerodb.attempt AS a
            WHERE a.slot = _recent_attempts.slot AND a.ctid >= place;
        END IF;
        RETURN QUERY
        SELECT d.hook_id, count(*) FILTER (WHERE a.outcome = 'completed'), count(*) FILTER (WHERE a.outcome = 'failed'),
            count(*) FILTER (WHERE a.outcome = 'discarded'),
            greatest(extract(epoch FROM now() - covered), 1)::double precision
        FROM (
            SELECT t.delivery_id, t.outcome FROM zerodb.attempt AS t
            WHERE t.slot = _recent_attempts.slot AND t.ctid >= place AND t.started_at > since OFFSET 0
        ) AS a
        JOIN zerodb.delivery AS d ON d.id = a.delivery_id
        WHERE everybody OR d.user_id = tenant
        GROUP BY d.hook_id;
    END IF;
END
$$;
