-- The actions of handlers on a table: which statements or which function one is, and as whom it runs.

-- 42501 unless all tables of a graph belong to the owner of its memories: a stranger's triggers would run with its
-- rights.
CREATE FUNCTION zerodb._check_graph(relid oid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    memories pg_class := (SELECT c FROM pg_class AS c WHERE c.oid = relid);
    strange text;
BEGIN
    SELECT t.name INTO strange
    FROM unnest(ARRAY['entities', 'entity_aliases', 'mentions', 'relations', 'relation_sources',
        'extractions']) AS t (name)
    JOIN pg_class AS c ON c.relnamespace = memories.relnamespace AND c.relname = t.name
    WHERE c.relowner <> memories.relowner OR c.relkind NOT IN ('r', 'p') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'table % of the graph belongs to another role than %', strange, relid::regclass
            USING ERRCODE = '42501', HINT = 'ALTER TABLE … OWNER TO: all tables of a store belong to one role.';
    END IF;
END
$$;

-- What a hook has to do with a table, for an action: see embed/ and summarize/; of a graph only the tenant. `user_id`
-- is there when the hook is of one tenant: whatever the worker says, it acts for it.
CREATE FUNCTION zerodb._plan_of(hook zerodb.zerodb_hooks, relid oid, action text, args jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tenant jsonb := CASE WHEN hook.user_id = zerodb._every_user() THEN '{}'
        ELSE jsonb_build_object('user_id', hook.user_id) END;
BEGIN
    IF action = 'content_read' THEN
        RETURN zerodb._content_plan(hook, relid, args);
    ELSIF hook.hook_name = 'auto_graph' THEN
        PERFORM zerodb._check_graph(relid);
        RETURN tenant;
    END IF;
    RETURN tenant || jsonb_build_object('user_column', zerodb._tenant_column(relid, hook.event_type))
        || CASE hook.hook_name WHEN 'auto_embed' THEN zerodb._embed_plan(hook, relid, args)
            ELSE zerodb._summary_plan(hook, relid, args) END;
END
$$;

-- The statement of an action, of the parameters $1 jsonb and $2 real[]; of chunk_write a list of them; null where a
-- function of its own does it. 42501 for an action that does not go with how the hook embeds the table.
CREATE FUNCTION zerodb._statements_of(action text, plan jsonb, relid oid, args jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (action ^@ 'embed_' AND action <> 'embed_plan' AND plan ? 'chunks')
        OR (action ^@ 'chunk_' AND NOT plan ? 'chunks')
        OR (action = 'summary_part' AND plan ->> 'text' IS NULL AND plan ->> 'bytes' IS NULL)
    THEN
        RAISE EXCEPTION 'the hook does not embed table % by %', relid::regclass, quote_literal(action)
            USING ERRCODE = '42501', HINT = 'The table was changed; the worker plans again at its next attempt.';
    END IF;
    RETURN CASE action
        -- As the acting role, who may be one that row-level security holds for.
        WHEN 'embed_plan' THEN zerodb._answer_plan(plan, relid)
        WHEN 'summary_plan' THEN zerodb._answer_plan(plan, relid)
        WHEN 'embed_read' THEN to_jsonb(zerodb._embed_read(plan, relid, args))
        WHEN 'embed_page' THEN to_jsonb(zerodb._embed_page(plan, relid, args))
        WHEN 'embed_write' THEN to_jsonb(zerodb._embed_write(plan, relid, args))
        WHEN 'embed_count' THEN to_jsonb(zerodb._embed_count(plan, relid))
        WHEN 'chunk_read' THEN to_jsonb(zerodb._chunk_read(plan, relid))
        WHEN 'chunk_page' THEN to_jsonb(zerodb._chunk_page(plan, relid, args))
        WHEN 'chunk_write' THEN zerodb._chunk_write(plan, relid, args)
        WHEN 'chunk_count' THEN to_jsonb(zerodb._chunk_count(plan, relid))
        WHEN 'summary_read' THEN to_jsonb(zerodb._summary_read(plan, relid))
        WHEN 'summary_part' THEN to_jsonb(zerodb._summary_part(plan, relid))
        WHEN 'summary_write' THEN to_jsonb(zerodb._summary_write(plan, relid))
        WHEN 'content_read' THEN to_jsonb(zerodb._content_read(plan, relid)) END;
END
$$;

CREATE FUNCTION zerodb._answer_plan(plan jsonb, relid oid) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT to_jsonb(format('SELECT %L::jsonb || jsonb_build_object(''tenants'', row_security_active(%s::oid))', plan, relid)) $$;

-- What zerodb._as_owner is to do: the role to act as, and the plan; the function to call with it, or null where the
-- plan has the statements (see owner.rs). Raises what all of these raise.
CREATE FUNCTION zerodb._admit_action(hook_id uuid, relid oid, action text, args jsonb, OUT role oid, OUT function oid,
    OUT plan jsonb)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    hook zerodb.zerodb_hooks := zerodb._acting_hook(hook_id, action);
BEGIN
    PERFORM zerodb._check_watched(relid, hook.event_type);
    role := zerodb._role_on(relid, zerodb._hook_owner(hook_id));
    plan := zerodb._plan_of(hook, relid, action, args);
    plan := plan || jsonb_build_object('statements', zerodb._statements_of(action, plan, relid, args),
        'acts_for', coalesce(plan ->> 'user_id', args ->> 'user_id', ''));
    IF action ^@ 'graph_' THEN
        function := format('zerodb.%I(jsonb, oid, jsonb, real[])', '_do_' || action)::regprocedure;
    END IF;
END
$$;
