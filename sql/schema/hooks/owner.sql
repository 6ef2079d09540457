-- As whom a hook acts, and on what. The worker names a hook, and a table and an action or an event; everything else is
-- found out here, from the hook and the catalog, with the rights of the extension's owner (see owner.rs and
-- call_function.rs). Nobody else may call these.

-- Whether a role stands above ordinary ones: a superuser, the owner of the database, the owner of the extension.
CREATE FUNCTION zerodb._is_above(role oid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM pg_roles AS r WHERE r.oid = role AND (r.rolsuper
        OR EXISTS (SELECT FROM pg_database AS d WHERE d.datname = current_database() AND d.datdba = r.oid)
        OR EXISTS (SELECT FROM pg_extension AS e WHERE e.extname = 'zerodb_hooks' AND e.extowner = r.oid)))
$$;

-- The role with whose rights a hook acts. 42704 where it belongs to nobody, because the role has gone.
CREATE FUNCTION zerodb._hook_owner(hook_id uuid) RETURNS oid
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found oid := (SELECT r.oid FROM zerodb.hook_detail AS d JOIN pg_roles AS r ON r.oid = d.owner
        WHERE d.hook_id = _hook_owner.hook_id);
BEGIN
    IF found IS NULL THEN
        RAISE EXCEPTION 'the hook belongs to nobody'
            USING ERRCODE = '42704', DETAIL = 'The role that made it has been dropped, or was not there when this was restored.',
                  HINT = 'SELECT zerodb.take_hook(id): the role that does so becomes its owner.';
    END IF;
    RETURN found;
END
$$;

-- The hooks whose action it is; null where there is none of the name. A file is read in the same way for two of them.
CREATE FUNCTION zerodb._hooks_of_action(action text) RETURNS text[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN action = 'summary_part' THEN '{auto_embed,auto_summarize}'::text[]
        WHEN action IN ('embed_plan', 'embed_read', 'embed_page', 'embed_write', 'embed_count',
            'chunk_read', 'chunk_page', 'chunk_write', 'chunk_count') THEN '{auto_embed}'
        WHEN action IN ('summary_plan', 'summary_read', 'summary_write') THEN '{auto_summarize}'
        WHEN action IN ('graph_read', 'graph_candidates', 'graph_write', 'graph_retract') THEN '{auto_graph}' END
$$;

-- Whether it is the hook's to do such things to a table: those of its handler, or to read the text that it sends.
CREATE FUNCTION zerodb._acts_by(hook zerodb.zerodb_hooks, action text) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN action = 'content_read' THEN zerodb._includes_content(hook.hook_type, hook.hook_config)
        ELSE hook.hook_type = 'first_party' AND hook.hook_name = ANY (zerodb._hooks_of_action(action)) END
$$;

-- The hook of an action. 42501 where the action is not its handler's, or the hook is paused and nothing of it is under
-- way; 42883 for an action that there is not; P0002 for a hook that has gone.
CREATE FUNCTION zerodb._acting_hook(hook_id uuid, action text) RETURNS zerodb.zerodb_hooks
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    hook zerodb.zerodb_hooks;
BEGIN
    IF zerodb._hooks_of_action(action) IS NULL AND action <> 'content_read' THEN
        RAISE EXCEPTION 'a handler has no action %', quote_literal(action)
            USING ERRCODE = '42883', HINT = 'Run a worker of the same version as the extension.';
    END IF;
    SELECT h.* INTO hook FROM zerodb.zerodb_hooks AS h WHERE h.id = hook_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the hook does not exist' USING ERRCODE = 'P0002',
            HINT = 'It was deleted; nothing is left to do.';
    END IF;
    IF zerodb._acts_by(hook, action) IS NOT TRUE THEN
        RAISE EXCEPTION 'hook % does not act by %', quote_literal(hook.hook_name), quote_literal(action)
            USING ERRCODE = '42501', HINT = 'The worker runs only the actions of the hook''s own handler.';
    END IF;
    IF NOT hook.is_active AND NOT EXISTS (SELECT FROM zerodb.batch AS b WHERE b.hook_id = hook.id)
        AND NOT EXISTS (SELECT FROM zerodb.delivery AS d WHERE d.hook_id = hook.id AND d.state = 'running')
    THEN
        RAISE EXCEPTION 'hook % is paused', quote_literal(hook.hook_name)
            USING ERRCODE = '42501', HINT = 'SELECT zerodb.update_hook(id, is_active => true) lets it go on.';
    END IF;
    RETURN hook;
END
$$;

-- The enabled watches of a table, or of the partitioned table above it, whose events a hook with this pattern wants.
CREATE FUNCTION zerodb._watches_of(relid oid, pattern text) RETURNS oid[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(array_agg(w.trigger_id), '{}')
    FROM zerodb._watch_trigger AS w JOIN pg_trigger AS t ON t.oid = w.trigger_id
    WHERE w.tgrelid = ANY (ARRAY(SELECT a.relid::oid
        FROM pg_partition_ancestors(_watches_of.relid) AS a (relid)) || _watches_of.relid)
        AND t.tgenabled IN ('O', 'A') AND pattern = ANY (zerodb._patterns(w.mapping ->> 'event'))
$$;

-- 42501 unless the table is a user's and its watch is on; 42P01 where it has gone. A pattern matches what many watch,
-- but whoever has not asked for events of a table has not asked for work on it either.
CREATE FUNCTION zerodb._check_watched(relid oid, pattern text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target record;
BEGIN
    SELECT c.relkind, c.relpersistence, n.nspname INTO target
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = relid;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the table that the event is about does not exist'
            USING ERRCODE = '42P01', DETAIL = 'The hook and the table do not fit.',
                  HINT = 'Delete the hook, or replay it once the table is there again.';
    END IF;
    -- Oids below are those of the server's own objects.
    IF relid < 16384 OR target.nspname ~ '^pg_' OR target.nspname IN ('information_schema', 'zerodb')
        OR target.relkind NOT IN ('r', 'p') OR target.relpersistence = 't'
        OR cardinality(zerodb._watches_of(relid, pattern)) = 0
    THEN
        RAISE EXCEPTION 'no watch of table % records events of %', relid::regclass, quote_literal(pattern)
            USING ERRCODE = '42501', DETAIL = 'The hook and the table do not fit: a hook acts only on tables that are watched for it.',
                  HINT = format('SELECT zerodb.watch(%L, ''event.type'', …), or enable its triggers.', relid::regclass);
    END IF;
END
$$;

-- The role that acts on a table for a hook of this owner: the table's owner where the hook's may act for it, else the
-- hook's. 42501 where the table's owner is neither that role, nor one it may act for, nor above it: the table's own triggers
-- would run with its rights. A hook of a superuser so never acts on the table of another with more than that other's
-- rights.
CREATE FUNCTION zerodb._role_on(relid oid, hook_owner oid) RETURNS oid
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    table_owner oid := (SELECT c.relowner FROM pg_class AS c WHERE c.oid = relid);
BEGIN
    IF pg_has_role(hook_owner, table_owner, 'USAGE') THEN
        RETURN table_owner;
    ELSIF zerodb._is_above(table_owner) THEN
        RETURN hook_owner;
    END IF;
    RAISE EXCEPTION 'the hook''s owner, role %, may not act for the owner of the table',
        quote_ident(pg_get_userbyid(hook_owner))
        USING ERRCODE = '42501', DETAIL = 'Triggers that it has put on the table would run with the rights of the hook''s owner.',
              HINT = 'SELECT zerodb.take_hook(id) as the table''s owner or a member of that role: who does so becomes the hook''s owner.';
END
$$;
