-- The text of a row for webhooks with "include_content": which events have one, and how it is read. A statement is
-- made here with the rights of the extension's owner, and run as embed/embed.sql has it. The worker names an event;
-- which row that is about and whose it is, is found here.

-- The longest text that is sent: characters here, bytes in the worker.
CREATE FUNCTION zerodb._content_limit() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT 1024 * 1024 $$;

-- Why rows of a table give no text for events of a type; null where they do.
CREATE FUNCTION zerodb._no_content(event_type text, relid oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN NOT zerodb._has_column(relid, 'content') OR zerodb._column_of(relid, 'content', '{bytea}') IS NOT NULL
        THEN format('table %s has no column content of text', relid::regclass)
        WHEN k.key = '{}' THEN format('table %s has no primary key', relid::regclass)
        WHEN zerodb._key_fields(relid, k.key, event_type) @> '[null]'
        THEN format('events of %s do not record the key of table %s', quote_literal(event_type), relid::regclass) END
    FROM (SELECT zerodb._primary_key(relid) AS key) AS k
$$;

-- 22023 when a webhook asks for a text that none of the events of its pattern has, by the rules of _check_targets: of
-- the tables that the role answers for, and where there is none yet, only what no table can mend.
CREATE FUNCTION zerodb._check_content(role oid, pattern text, hook_type text, hook_config jsonb) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reason text;
BEGIN
    IF NOT zerodb._includes_content(hook_type, hook_config) THEN
        RETURN;
    END IF;
    -- One that fits comes first.
    SELECT n.reason || '.' INTO reason FROM zerodb._targets(pattern, NULL) AS t
    CROSS JOIN LATERAL (SELECT zerodb._no_content(t.event_type, t.relid) AS reason) AS n
    WHERE zerodb._answers_for(role, t.relid) ORDER BY n.reason NULLS FIRST LIMIT 1;
    IF NOT FOUND THEN
        reason := zerodb._rowless(pattern);
    END IF;
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION '"include_content" finds no text in events of %', quote_literal(pattern)
            USING ERRCODE = '22023', COLUMN = 'include_content', DETAIL = upper(left(reason, 1)) || substr(reason, 2),
                  HINT = 'Hook an event of a watched table that has a primary key and a column content of text, such as zerodb.memory.stored, or leave "include_content" out.';
    END IF;
END
$$;

-- The texts of the key of the row that an event is about; null where its data do not say, or cannot be read.
CREATE FUNCTION zerodb._key_of_event(fields jsonb, data json) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT jsonb_agg(data ->> f.field ORDER BY f.n)
        FROM jsonb_array_elements_text(fields) WITH ORDINALITY AS f (field, n));
EXCEPTION WHEN data_exception THEN
    -- A JSON column may hold what no text can, such as a NUL.
    RETURN NULL;
END
$$;

-- How the text for an event of the log is read: args {event_id}. The tenant is the event's. 42501 for an event that is
-- none of the hook's or about another table, so that the worker cannot choose rows.
CREATE FUNCTION zerodb._content_plan(hook zerodb.zerodb_hooks, relid oid, args jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    event zerodb.outbox;
    key text[] := zerodb._primary_key(relid);
    reason text;
BEGIN
    SELECT o.* INTO event FROM zerodb._event_key(args ->> 'event_id') AS k
    JOIN zerodb.outbox AS o ON o.xid = k.xid AND o.ord = k.ord
    WHERE o.relid = _content_plan.relid AND hook.event_type = ANY (zerodb._patterns(o.event_type))
        AND (hook.user_id = zerodb._every_user() OR hook.user_id = o.user_id)
        AND (hook.project_id IS NULL OR hook.project_id = o.project_id);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'event % is none of the hook''s', quote_literal(args ->> 'event_id')
            USING ERRCODE = '42501', HINT = 'A row is read only for an event that is about it and matches the hook.';
    END IF;
    reason := zerodb._no_content(event.event_type, relid);
    IF reason IS NOT NULL THEN
        PERFORM zerodb._bad_embed(reason, 'Leave "include_content" out, or change the table or its watch.');
    END IF;
    RETURN jsonb_build_object('user_id', event.user_id,
        'user_column', zerodb._tenant_column(relid, hook.event_type), 'key', to_jsonb(key),
        'row', zerodb._key_of_event(zerodb._key_fields(relid, key, event.event_type), event.data));
END
$$;

-- The text of the row of a plan, with whether there is more of it. Null where the row is gone.
CREATE FUNCTION zerodb._content_read(plan jsonb, relid oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT jsonb_build_object(''content'', left(t.content::text, %1$s), '
        '''truncated'', octet_length(t.content::text) > %1$s) '
        'FROM (SELECT %2$L::jsonb AS key) AS k JOIN %3$s AS t ON %4$s AND %5$s',
        zerodb._content_limit(), plan -> 'row', relid::regclass, zerodb._key_condition(relid, plan -> 'key'),
        zerodb._tenant_condition(plan))
$$;
