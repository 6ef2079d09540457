-- API: public. The events of the log, newest first, page by page.

CREATE TYPE zerodb.event_listing AS (
    id text,
    event text,
    channel text,
    data jsonb,
    user_id uuid,
    project_id uuid,
    bank_id text,
    trace_id text,
    "timestamp" timestamptz,
    cursor text
);
COMMENT ON TYPE zerodb.event_listing IS
    'A row of zerodb.list_events; one with a cursor and nothing else says that there may be more after it';

CREATE FUNCTION zerodb.list_events(
    event_type text DEFAULT NULL,
    project_id uuid DEFAULT NULL,
    before text DEFAULT NULL,
    max_rows integer DEFAULT 50,
    user_id uuid DEFAULT NULL,
    since timestamptz DEFAULT NULL,
    until timestamptz DEFAULT NULL,
    with_data boolean DEFAULT true
) RETURNS SETOF zerodb.event_listing
LANGUAGE c STABLE ROWS 50 AS 'MODULE_PATHNAME', 'zerodb_api_anywhere';
COMMENT ON FUNCTION zerodb.list_events(text, uuid, text, integer, uuid, timestamptz, timestamptz, boolean) IS
    'Events, newest first. Go on with before => the cursor of the last row until there is no row; a last row with a cursor alone says that one call has read enough. event_type may be a pattern';

-- The order is that of the keys: a transaction's place is that of its first write. Reads at most 5,000 events, the
-- newest before the cursor, and fewer once the page is full. Index: outbox_key, backwards; nothing else, whatever the
-- planner thinks of a log that it has no statistics of.
CREATE FUNCTION zerodb._list_events(
    caller oid,
    event_type text,
    project_id uuid,
    before text,
    max_rows integer,
    user_id uuid,
    since timestamptz,
    until timestamptz,
    with_data boolean
) RETURNS SETOF zerodb.event_listing
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
#variable_conflict use_column
DECLARE
    tenant uuid := zerodb._listed_tenant(caller, _list_events.user_id);
    type ALIAS FOR event_type;
    project ALIAS FOR project_id;
    prefix text := CASE WHEN type = '*' THEN '' WHEN type LIKE '%.*' THEN left(type, -1) END;
    span record;
    place record;
BEGIN
    PERFORM zerodb._check_page(max_rows, since, until), zerodb._check_listed_type(type);
    SELECT s.first, s.last INTO span FROM zerodb._xids_between(since, until) AS s;
    SELECT k.xid, k.ord INTO place FROM zerodb._place_to_list(before, span.last) AS k;
    RETURN QUERY
    SELECT CASE WHEN r.is_listed THEN r.id END, e.event, e.channel, e.data, e.user_id, e.project_id, e.bank_id,
        e.trace_id, e.created_at, r.id
    FROM (
        SELECT n.*, zerodb._event_id(n.xid, n.ord) AS id,
            (type IS NULL OR n.event_type = type OR starts_with(n.event_type, prefix))
                AND (tenant IS NULL OR n.user_id IS NOT DISTINCT FROM tenant)
                AND (project IS NULL OR n.project_id IS NOT DISTINCT FROM project)
                AND (since IS NULL OR n.created_at >= since) AND (until IS NULL OR n.created_at < until) AS is_listed
        FROM (
            SELECT l.*, row_number() OVER () AS number
            FROM (
                SELECT o.* FROM zerodb.outbox AS o
                WHERE (o.xid, o.ord) < (place.xid, place.ord)
                    AND (span.first IS NULL OR o.xid >= span.first)
                ORDER BY o.xid DESC, o.ord DESC LIMIT 5000
            ) AS l
        ) AS n
    ) AS r
    LEFT JOIN LATERAL (
        SELECT r.event_type AS event, coalesce(t.channel, split_part(r.event_type, '.', 1)) AS channel,
            CASE WHEN with_data THEN zerodb._event_data(r.data) END AS data, r.user_id, r.project_id, r.bank_id,
            nullif(split_part(r.traceparent, '-', 2), '') AS trace_id, r.created_at
        FROM (SELECT) AS one LEFT JOIN zerodb.event_type AS t ON t.name = r.event_type
    ) AS e ON r.is_listed
    WHERE r.is_listed OR r.number = 5000
    LIMIT max_rows;
END
$$;
