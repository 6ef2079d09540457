-- How a list of deliveries is read: how far one step goes, and what lies in it, in each form in which deliveries are
-- kept (batches.sql). Called by deliveries.sql alone, with the rights of the extension's owner.

-- The least id of the next step below `below`, and where it is known which rows of zerodb.delivery lie in it, their ids.
-- No more than `reads` rows lie above that id, and hardly more deliveries of completions than the page has room for; it
-- is 0 where everything that is left is no more. Each count follows an index that has what the filter wants and nothing
-- else, or the primary key.
CREATE FUNCTION zerodb._next_delivery_step(
    filter zerodb._delivery_filter,
    below bigint,
    reads integer,
    page integer,
    OUT first bigint,
    OUT ids bigint[]
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
DECLARE
    by_array bigint;
BEGIN
    ids := filter.ids;
    IF filter.event_xid IS NOT NULL OR filter.ids IS NOT NULL THEN
        first := 0;
        RETURN;
    END IF;
    -- Where an index has just what is wanted, no more than the page.
    IF filter.state IS NULL AND filter.until IS NULL AND (filter.hook_id IS NULL OR filter.owner IS NOT NULL) THEN
        reads := page;
    END IF;
    IF filter.owner IS NOT NULL AND filter.hook_id IS NULL THEN
        reads := least(reads, greatest(page, 200));
        ids := zerodb._newest_of_owner(filter.owner, filter.failed, below, reads);
        first := ids[reads];
    ELSIF filter.failed AND filter.hook_id IS NOT NULL THEN
        SELECT d.id INTO first FROM zerodb.delivery AS d
        WHERE (d.hook_id, d.id) >= (filter.hook_id, 0) AND (d.hook_id, d.id) < (filter.hook_id, below)
            AND d.last_error IS NOT NULL
        ORDER BY d.hook_id DESC, d.id DESC OFFSET reads - 1 LIMIT 1;
    ELSE
        SELECT d.id INTO first FROM zerodb.delivery AS d
        WHERE d.id < below AND (NOT filter.failed OR d.last_error IS NOT NULL)
            AND (filter.owner IS NULL OR d.user_id = filter.owner AND d.hook_id = filter.hook_id)
        ORDER BY d.id DESC OFFSET reads - 1 LIMIT 1;
    END IF;
    IF coalesce(filter.state = 'completed', true) THEN
        SELECT s.first_id INTO by_array FROM (
            SELECT c.first_id, sum(CASE WHEN c.last_id < below THEN c.size ELSE 1 END)
                OVER (ORDER BY c.first_id DESC ROWS UNBOUNDED PRECEDING) AS total
            FROM zerodb.completion AS c
            WHERE c.first_id < below AND (filter.hook_id IS NULL OR c.hook_id = filter.hook_id)
                AND (filter.hook_id IS NOT NULL OR filter.owner IS NULL OR c.user_id = filter.owner)
            ORDER BY c.first_id DESC LIMIT page
        ) AS s WHERE s.total >= page LIMIT 1;
    END IF;
    first := greatest(first, by_array, 0);
END
$$;

-- The newest rows below an id of all hooks of an owner: `most` of each of the `most` hooks with the newest ones. One
-- probe for each hook of the owner that has rows.
CREATE FUNCTION zerodb._newest_of_owner(owner uuid, failed boolean, below bigint, most integer) RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $$
BEGIN
    RETURN ARRAY(
        WITH RECURSIVE hook (id) AS (
            (SELECT d.hook_id FROM zerodb.delivery AS d WHERE d.user_id = owner ORDER BY d.hook_id LIMIT 1)
            UNION ALL
            SELECT (SELECT d.hook_id FROM zerodb.delivery AS d
                WHERE d.user_id = owner AND d.hook_id > h.id ORDER BY d.hook_id LIMIT 1)
            FROM hook AS h WHERE h.id IS NOT NULL
        ), newest AS (
            SELECT h.id, (SELECT d.id FROM zerodb.delivery AS d
                WHERE d.user_id = owner AND d.hook_id = h.id AND (NOT failed OR d.last_error IS NOT NULL)
                    AND d.id < below
                ORDER BY d.id DESC LIMIT 1) AS last_id
            FROM hook AS h WHERE h.id IS NOT NULL ORDER BY last_id DESC NULLS LAST LIMIT most
        )
        SELECT r.id FROM newest AS n CROSS JOIN LATERAL (
            SELECT d.id FROM zerodb.delivery AS d
            WHERE d.user_id = owner AND d.hook_id = n.id AND (NOT failed OR d.last_error IS NOT NULL) AND d.id < below
            ORDER BY d.id DESC LIMIT most) AS r
        ORDER BY r.id DESC LIMIT most);
END
$$;

-- The deliveries that a filter wants from one id to below another, the newest `page` of them.
CREATE FUNCTION zerodb._deliveries_between(
    filter zerodb._delivery_filter,
    few bigint[],
    first bigint,
    below bigint,
    page integer
) RETURNS SETOF zerodb.delivery_listing
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT p.id, zerodb._event_id(p.event_xid, p.event_ord), o.event_type, p.hook_id, h.hook_name::text, p.state,
        p.attempts, p.due_at, p.last_error, p.created_at, p.finished_at, p.user_id, p.id
    FROM (
        SELECT q.* FROM (
            (SELECT d.id, d.event_xid, d.event_ord, d.event_slot AS slot, d.hook_id, d.user_id, d.state, d.attempts,
                d.due_at, d.last_error, d.created_at, d.finished_at
            FROM zerodb._listed_row(filter, few, first, below, page) AS d)
            UNION ALL
            SELECT c.id, c.event_xid, c.event_ord, c.slot, c.hook_id, c.user_id, 'completed', 1, NULL, NULL,
                c.created_at, c.finished_at
            FROM zerodb._listed_completion(filter, first, below, page) AS c
            UNION ALL
            SELECT r.id, r.event_xid, r.event_ord, r.slot, r.hook_id, r.user_id, 'running', 1, NULL, NULL,
                r.created_at, NULL
            FROM zerodb._running_delivery AS r
            WHERE coalesce(filter.state = 'running', true) AND r.batch_id < below AND r.last_id >= first
                AND r.id >= first AND r.id < below
                AND (filter.owner IS NULL OR r.user_id = filter.owner)
                AND (filter.hook_id IS NULL OR r.hook_id = filter.hook_id)
                AND (filter.event_xid IS NULL OR r.event_xid = filter.event_xid AND r.event_ord = filter.event_ord)
                AND (filter.since IS NULL OR r.created_at >= filter.since)
                AND (filter.until IS NULL OR r.created_at < filter.until)
        ) AS q ORDER BY q.id DESC LIMIT page
    ) AS p
    LEFT JOIN zerodb.outbox AS o ON o.slot = p.slot AND o.xid = p.event_xid AND o.ord = p.event_ord
    LEFT JOIN zerodb.zerodb_hooks AS h ON h.id = p.hook_id
    ORDER BY p.id DESC;
END
$$;

-- Of those that have a row; `few`: only of these.
CREATE FUNCTION zerodb._listed_row(
    filter zerodb._delivery_filter,
    few bigint[],
    first bigint,
    below bigint,
    page integer
) RETURNS SETOF zerodb.delivery
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $$
BEGIN
    RETURN QUERY
    SELECT d.* FROM zerodb.delivery AS d
    WHERE d.id >= first AND d.id < below
        AND (filter.owner IS NULL OR d.user_id = filter.owner)
        AND (filter.hook_id IS NULL OR d.hook_id = filter.hook_id)
        AND (filter.event_xid IS NULL OR d.event_xid = filter.event_xid AND d.event_ord = filter.event_ord)
        AND (filter.state IS NULL OR d.state = filter.state)
        AND (NOT filter.failed OR d.last_error IS NOT NULL)
        AND (few IS NULL OR d.id = ANY (few))
        AND (filter.since IS NULL OR d.created_at >= filter.since)
        AND (filter.until IS NULL OR d.created_at < filter.until)
    ORDER BY d.id DESC LIMIT page;
END
$$;

-- Of those that completed at their first attempt and have none. Whether one has is asked only of as many as are needed.
CREATE FUNCTION zerodb._listed_completion(filter zerodb._delivery_filter, first bigint, below bigint, page integer)
RETURNS SETOF zerodb._completed_delivery
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $$
BEGIN
    IF filter.state <> 'completed' THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT u.* FROM (
        SELECT e.id, e.event_xid, e.event_ord, c.slot, c.hook_id, c.user_id, c.created_at, c.finished_at,
            c.first_id, c.last_id, c.first_xid, c.last_xid
        FROM zerodb.completion AS c
        CROSS JOIN LATERAL unnest(c.ids, c.event_xids, c.event_ords) AS e (id, event_xid, event_ord)
        WHERE c.first_id < below AND c.first_id > first - 2048 AND c.last_id >= first AND e.id >= first AND e.id < below
            AND (filter.owner IS NULL OR c.user_id = filter.owner)
            AND (filter.hook_id IS NULL OR c.hook_id = filter.hook_id)
            AND (filter.event_xid IS NULL OR e.event_xid = filter.event_xid AND e.event_ord = filter.event_ord
                AND c.first_xid <= filter.event_xid AND c.last_xid >= filter.event_xid
                AND c.last_xid < zerodb._xid_end(filter.event_xid))
            AND (filter.since IS NULL OR c.created_at >= filter.since)
            AND (filter.until IS NULL OR c.created_at < filter.until)
        ORDER BY e.id DESC OFFSET 0
    ) AS u
    WHERE (SELECT true FROM zerodb.delivery AS d WHERE d.id = u.id) IS NULL
    LIMIT page;
END
$$;

-- Ids around the first delivery that was made at a time or later: whatever lies below `low` was made before, and that
-- first one at or below `high`, which is null where it may be none. Ids are drawn when deliveries are made, so that their
-- order is that of the times, but for what the judge decided later: it is searched by halves, to the span of a completion.
CREATE FUNCTION zerodb._deliveries_at(at timestamptz, OUT low bigint, OUT high bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
DECLARE
    top bigint := 1 + greatest((SELECT d.id FROM zerodb.delivery AS d ORDER BY d.id DESC LIMIT 1),
        (SELECT c.first_id FROM zerodb.completion AS c ORDER BY c.first_id DESC LIMIT 1),
        (SELECT b.id FROM zerodb.batch AS b ORDER BY b.id DESC LIMIT 1), 0);
    middle bigint;
    made_at timestamptz;
BEGIN
    low := 0;
    high := top;
    WHILE high - low > 2048 LOOP
        middle := low + (high - low) / 2;
        SELECT p.created_at INTO made_at FROM (
            (SELECT d.id, d.created_at FROM zerodb.delivery AS d WHERE d.id >= middle ORDER BY d.id LIMIT 1)
            UNION ALL
            (SELECT c.first_id, c.created_at FROM zerodb.completion AS c WHERE c.first_id >= middle
            ORDER BY c.first_id LIMIT 1)
            UNION ALL
            (SELECT b.id, b.created_at FROM zerodb.batch AS b WHERE b.id >= middle ORDER BY b.id LIMIT 1)
        ) AS p ORDER BY p.id LIMIT 1;
        IF coalesce(made_at >= at, true) THEN
            high := middle;
        ELSE
            low := middle;
        END IF;
    END LOOP;
    high := nullif(high, top);
END
$$;
