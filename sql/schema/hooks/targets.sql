-- Whether a hook can do its work on what its events are about, as far as that is known when it is made or changed. What
-- turns out later ends the delivery, see verdict.rs of the worker; the doctor asks the same of the hooks that are
-- there.

-- Why a first-party hook cannot work on a table for events of a type; null where it can. By the rules that the worker's
-- actions have.
CREATE FUNCTION zerodb._misfit(hook_name text, hook_config jsonb, event_type text, relid oid) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    hook zerodb.zerodb_hooks := jsonb_populate_record(NULL::zerodb.zerodb_hooks,
        jsonb_build_object('hook_name', hook_name, 'hook_config', hook_config));
    args jsonb := jsonb_build_object('event_type', event_type);
    plan jsonb;
BEGIN
    IF hook_name = 'auto_graph' THEN
        RETURN CASE WHEN NOT zerodb._holds_memories(relid)
            THEN format('table %s holds no memories of a store', relid::regclass)
            WHEN NOT EXISTS (SELECT FROM zerodb.event_type AS t
                WHERE t.name = event_type AND t.fields && '{memory_id,id}')
            THEN format('events of %s name no memory', quote_literal(event_type)) END;
    END IF;
    plan := CASE hook_name WHEN 'auto_embed' THEN zerodb._embed_plan(hook, relid, args)
        ELSE zerodb._summary_plan(hook, relid, args) END;
    RETURN CASE WHEN hook_config ?| '{chunk_tokens,chunk_overlap}' AND NOT plan ? 'chunks'
        THEN format('table %s is not embedded in chunks, so "chunk_tokens" and "chunk_overlap" do nothing',
            relid::regclass)
        WHEN plan -> 'fields' @> '[null]'
        THEN format('events of %s do not record the key of table %s', quote_literal(event_type), relid::regclass) END;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN SQLERRM;
END
$$;

-- The watched tables of whose rows a first-party hook would be told, with the event types. A vector or a summary needs
-- a row; the graph forgets what a deleted memory said.
CREATE FUNCTION zerodb._targets(pattern text, hook_name text) RETURNS TABLE (relid oid, event_type text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT DISTINCT w.tgrelid, w.mapping ->> 'event' FROM zerodb._watch_trigger AS w
    WHERE zerodb._may_name(w.arguments, pattern) AND pattern = ANY (zerodb._patterns(w.mapping ->> 'event'))
        AND (w.operation IN ('insert', 'update') AND (w.mapping -> 'operations') ?| '{insert,update}'
            OR hook_name = 'auto_graph' AND w.operation = 'delete')
    ORDER BY 1, 2
$$;

-- Why no event of a built-in type is about a row with a text of its own, whatever tables are watched; null for the
-- other types.
CREATE FUNCTION zerodb._rowless(event_type text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN t.batch_of IS NOT NULL THEN 'One event of it is about many rows.'
        WHEN t.name IN ('zerodb.vector.deleted', 'zerodb.memory.deleted', 'zerodb.table.row_deleted',
            'zeromemory.forgotten',
            'on_forget', 'on_bank_deleted') THEN 'The row that it is about has gone.'
        WHEN t.builtin AND starts_with(t.name, 'on_') AND t.name <> 'on_retain' THEN 'It is about no row.' END
    FROM zerodb.event_type AS t WHERE t.name = _rowless.event_type
$$;

-- Whether a role answers for a table: it is its own, or of one it may act for. A superuser may act for everybody, and
-- answers for what is a superuser's: an ordinary role's table must not decide which hooks it can make.
CREATE FUNCTION zerodb._answers_for(role oid, relid oid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN r.rolsuper THEN o.rolsuper ELSE pg_has_role(r.oid, o.oid, 'USAGE') END
    FROM pg_class AS c JOIN pg_roles AS o ON o.oid = c.relowner JOIN pg_roles AS r ON r.oid = role WHERE c.oid = relid
$$;

-- 22023 when a first-party hook can work on none of the events that its pattern matches, of the tables that the role
-- answers for: another's must not decide which hooks can be made, nor show its columns in an error. Where none is
-- watched yet, only what no table can mend is refused.
CREATE FUNCTION zerodb._check_targets(role oid, pattern text, hook_type text, hook_name text, hook_config jsonb)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    target record;
    misfit text;
    reason text;
BEGIN
    IF hook_type <> 'first_party' THEN
        RETURN;
    END IF;
    FOR target IN SELECT t.relid, t.event_type FROM zerodb._targets(pattern, hook_name) AS t
        WHERE zerodb._answers_for(role, t.relid)
    LOOP
        misfit := zerodb._misfit(hook_name, hook_config, target.event_type, target.relid);
        IF misfit IS NULL THEN
            RETURN;
        END IF;
        reason := coalesce(reason, misfit || '.');
    END LOOP;
    IF reason IS NULL AND (hook_name <> 'auto_graph'
        OR pattern NOT IN ('zerodb.memory.deleted', 'zeromemory.forgotten'))
    THEN
        reason := zerodb._rowless(pattern);
    END IF;
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION '% has nothing to work on in events of %', hook_name, quote_literal(pattern)
            USING ERRCODE = '22023', DETAIL = upper(left(reason, 1)) || substr(reason, 2),
                  HINT = CASE hook_name
                      WHEN 'auto_embed' THEN 'Hook an event of a watched table that has a primary key, a text and a column of vectors (or a table of chunks); "content" and "target_column" name the columns.'
                      WHEN 'auto_summarize' THEN 'Hook an event of a watched table that has a primary key, a text and a column for the summary, such as zerodb.file.uploaded; "content" and "target_column" name the columns.'
                      ELSE 'Hook zerodb.memory.stored or zeromemory.remembered, or zeromemory.*.' END;
    END IF;
END
$$;

-- 22023 when a template names a field that no event of the pattern has. Of a pattern that types can join later nothing
-- is known, and an event of a type of one's own may have more than is registered: of these only what looks like a slip
-- is refused.
CREATE FUNCTION zerodb._check_template_fields(pattern text, hook_type text, hook_config jsonb) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    key text := zerodb._event_template(hook_type);
    known text[] := zerodb._template_fields(pattern);
    is_open boolean := EXISTS (SELECT FROM zerodb.event_type AS t WHERE t.name = pattern AND NOT t.builtin);
    unknown text;
BEGIN
    IF hook_config ->> key IS NULL OR known IS NULL THEN
        RETURN;
    END IF;
    IF zerodb._includes_content(hook_type, hook_config) THEN
        known := known || '{content,content_truncated}'::text[];
    END IF;
    SELECT v INTO unknown FROM unnest(zerodb._template_variables(hook_config ->> key)) AS v
    WHERE v <> ALL (known) AND (NOT is_open OR zerodb._nearest(left(v, 100), known) IS NOT NULL) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '"%" in hook_config names %, which events of % do not have', key,
            quote_literal(left(unknown, 100)), quote_literal(pattern)
            USING ERRCODE = '22023', COLUMN = key, DETAIL = 'They have ' || array_to_string(known, ', ') || '.',
                  HINT = coalesce('Did you mean ' || quote_literal(zerodb._nearest(left(unknown, 100), known)) || '?',
                      'Name a field of the event type, or register it: zerodb.register_event_type.');
    END IF;
END
$$;

-- What a template over the events of a pattern may name; null where that is not known.
CREATE FUNCTION zerodb._template_fields(pattern text) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT k.fields || ARRAY(SELECT o.own
        FROM unnest('{event_type,event_id,timestamp,channel,bank_id,trace_id,data,event,_truncated}'::text[]) AS o (own)
        WHERE o.own <> ALL (k.fields))
    FROM (SELECT array_agg(DISTINCT f.field) AS fields FROM zerodb.event_type AS t
        CROSS JOIN LATERAL unnest(t.fields) AS f (field)
        WHERE (t.name = pattern OR t.builtin AND pattern <> '*') AND pattern = ANY (zerodb._patterns(t.name))
        HAVING count(*) > 0) AS k
$$;

-- The active hooks that the rules of create_hook would refuse today, with the reason: made before a rule was there, or
-- before a table was changed. For the doctor, which runs as the worker; so with the rights of the extension's owner. At
-- most `most` hooks are looked at.
CREATE FUNCTION zerodb._unworkable(most integer DEFAULT 10000) RETURNS TABLE (hook_id uuid, hook_name text, reason text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    hook zerodb.zerodb_hooks;
BEGIN
    FOR hook IN SELECT h.* FROM zerodb.zerodb_hooks AS h WHERE h.is_active ORDER BY h.created_at, h.id LIMIT most LOOP
        reason := zerodb._fault_of(hook);
        IF reason IS NOT NULL THEN
            hook_id := hook.id;
            hook_name := hook.hook_name;
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;

-- Why one hook cannot do its work; null where it can, or where the event types that would tell may come yet.
CREATE FUNCTION zerodb._fault_of(hook zerodb.zerodb_hooks) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner oid := (SELECT d.owner FROM zerodb.hook_detail AS d WHERE d.hook_id = hook.id);
    said text;
BEGIN
    PERFORM zerodb._check_event_pattern(hook.event_type);
    PERFORM zerodb._check_hook(hook.hook_type, hook.hook_name, hook.hook_config::text);
    PERFORM zerodb._check_production(hook.hook_type, hook.hook_config);
    PERFORM zerodb._check_template_fields(hook.event_type, hook.hook_type, hook.hook_config);
    IF owner IS NOT NULL AND (hook.hook_type = 'first_party'
        OR zerodb._includes_content(hook.hook_type, hook.hook_config))
    THEN
        PERFORM zerodb._check_targets(owner, hook.event_type, hook.hook_type, hook.hook_name, hook.hook_config);
        PERFORM zerodb._check_content(owner, hook.event_type, hook.hook_type, hook.hook_config);
        IF NOT EXISTS (SELECT FROM zerodb._targets(hook.event_type, hook.hook_name)) THEN
            RETURN format('no table is watched for events of %s', quote_literal(hook.event_type));
        END IF;
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    -- Whatever is wrong with one hook, the others are told too.
    GET STACKED DIAGNOSTICS said = PG_EXCEPTION_DETAIL;
    RETURN SQLERRM || coalesce(': ' || nullif(said, ''), '');
END
$$;
