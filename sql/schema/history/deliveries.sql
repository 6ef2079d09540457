-- API: public. Deliveries, newest first, page by page.

CREATE TYPE zerodb.delivery_listing AS (
    id bigint,
    event_id text,
    event text,
    hook_id uuid,
    hook_name text,
    state zerodb.delivery_state,
    attempts integer,
    next_attempt_at timestamptz,
    last_error text,
    created_at timestamptz,
    finished_at timestamptz,
    user_id uuid,
    cursor bigint
);
COMMENT ON TYPE zerodb.delivery_listing IS
    'A row of zerodb.list_deliveries; one with a cursor and nothing else says that there may be more after it';

CREATE FUNCTION zerodb.list_deliveries(
    hook_id uuid DEFAULT NULL,
    event_id text DEFAULT NULL,
    state text DEFAULT NULL,
    before bigint DEFAULT NULL,
    max_rows integer DEFAULT 50,
    user_id uuid DEFAULT NULL,
    since timestamptz DEFAULT NULL,
    until timestamptz DEFAULT NULL
) RETURNS SETOF zerodb.delivery_listing
LANGUAGE c STABLE ROWS 50 AS 'MODULE_PATHNAME', 'zerodb_api_anywhere';
COMMENT ON FUNCTION zerodb.list_deliveries(uuid, text, text, bigint, integer, uuid, timestamptz, timestamptz) IS
    'Deliveries, newest first. Go on with before => the cursor of the last row until there is no row; a last row with a cursor alone says that one call has read enough';

-- What a list is asked for; null for whatever it may be.
CREATE TYPE zerodb._delivery_filter AS (
    -- The tenant, or else the one that the hook belongs to, if there still is one.
    owner uuid,
    hook_id uuid,
    event_xid xid8,
    event_ord integer,
    state zerodb.delivery_state,
    since timestamptz,
    until timestamptz,
    -- Only what has an error: all that failed, was given up or cancelled, and nothing that went well.
    failed boolean,
    -- Only these ids, where it is known which there are.
    ids bigint[]
);

CREATE FUNCTION zerodb._read_delivery_filter(
    tenant uuid,
    hook_id uuid,
    event_id text,
    state text,
    since timestamptz,
    until timestamptz
) RETURNS zerodb._delivery_filter
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    owner uuid := coalesce(tenant, (SELECT h.user_id FROM zerodb.zerodb_hooks AS h WHERE h.id = hook_id));
    event_xid xid8;
    event_ord integer;
BEGIN
    IF state IS NOT NULL AND state <> ALL (enum_range(NULL::zerodb.delivery_state)::text[]) THEN
        RAISE EXCEPTION 'unknown state %', quote_literal(left(state, 100))
            USING ERRCODE = '22023',
                  HINT = 'A state is ' || array_to_string(enum_range(NULL::zerodb.delivery_state), ', ') || '.';
    END IF;
    IF event_id IS NOT NULL THEN
        SELECT k.xid, k.ord INTO event_xid, event_ord FROM zerodb._key_to_list(event_id, 'event_id') AS k;
    END IF;
    RETURN (owner, hook_id, event_xid, event_ord, state::zerodb.delivery_state, since, until,
        coalesce(state IN ('discarded', 'cancelled', 'retryable'), false),
        CASE WHEN state IN ('pending', 'retryable') THEN zerodb._few_waiting(hook_id) END)::zerodb._delivery_filter;
END
$$;

-- The deliveries that wait for an attempt, of one hook or of all, where they are no more than 2,000; else null. By the
-- index of the queue, which has no others: they may be few among many that have ended.
CREATE FUNCTION zerodb._few_waiting(hook_id uuid) RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    ids bigint[];
BEGIN
    ids := ARRAY(SELECT w.id FROM zerodb._waiting_delivery AS w
        WHERE _few_waiting.hook_id IS NULL OR w.hook_id = _few_waiting.hook_id LIMIT 2001);
    RETURN CASE WHEN cardinality(ids) <= 2000 THEN ids END;
END
$$;

-- Reads step by step, each step what lies between two ids, until the page is full. A step may find less than it reads
-- where a filter has no index: after 5,000 rows the list ends with a cursor.
CREATE FUNCTION zerodb._list_deliveries(
    caller oid,
    hook_id uuid,
    event_id text,
    state text,
    before bigint,
    max_rows integer,
    user_id uuid,
    since timestamptz,
    until timestamptz
) RETURNS SETOF zerodb.delivery_listing
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    filter zerodb._delivery_filter;
    below bigint := coalesce(before, 9223372036854775807);
    -- Nothing below it is wanted.
    bottom bigint := 0;
    step record;
    reads integer;
    left_over integer := max_rows;
    found integer;
BEGIN
    PERFORM zerodb._check_page(max_rows, since, until);
    filter := zerodb._read_delivery_filter(zerodb._listed_tenant(caller, user_id), hook_id, event_id, state, since, until);
    IF until IS NOT NULL THEN
        -- What a completion has lies less than 2,048 after its first id.
        below := least(below, (SELECT a.high + 2048 FROM zerodb._deliveries_at(until) AS a));
    END IF;
    IF since IS NOT NULL THEN
        -- What the judge decided has got its id earlier.
        bottom := (SELECT a.low FROM zerodb._deliveries_at(since - interval '1 minute') AS a);
    END IF;
    FOREACH reads IN ARRAY '{1000, 2000, 2000}'::integer[] LOOP
        SELECT greatest(s.first, bottom) AS first, s.ids INTO step
        FROM zerodb._next_delivery_step(filter, below, reads, left_over) AS s;
        RETURN QUERY SELECT d.* FROM zerodb._deliveries_between(filter, step.ids, step.first, below, left_over) AS d;
        GET DIAGNOSTICS found = ROW_COUNT;
        left_over := left_over - found;
        below := step.first;
        IF left_over = 0 OR below <= bottom THEN
            RETURN;
        END IF;
    END LOOP;
    RETURN QUERY SELECT NULL::bigint, NULL::text, NULL::text, NULL::uuid, NULL::text, NULL::zerodb.delivery_state,
        NULL::integer, NULL::timestamptz, NULL::text, NULL::timestamptz, NULL::timestamptz, NULL::uuid, below;
END
$$;
