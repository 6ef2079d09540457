-- API: public. Managing hooks. All of it runs as the caller: row-level security on zerodb_hooks decides what exists.

CREATE FUNCTION zerodb.create_hook(
    event_type text,
    hook_name text,
    hook_config jsonb DEFAULT '{}',
    project_id uuid DEFAULT NULL,
    hook_type text DEFAULT 'first_party',
    user_id uuid DEFAULT NULL
) RETURNS zerodb.zerodb_hooks
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    owner_id uuid := zerodb._acting_user(user_id);
    made zerodb.zerodb_hooks;
BEGIN
    PERFORM zerodb._check_event_pattern(event_type);
    PERFORM zerodb._check_hook(hook_type, hook_name, hook_config);
    PERFORM zerodb._check_hook_function(hook_type, hook_config);
    PERFORM zerodb._check_embed_targets(event_type, hook_name, hook_config);
    PERFORM zerodb._check_summary_targets(event_type, hook_name, hook_config);
    INSERT INTO zerodb.zerodb_hooks AS h (user_id, project_id, event_type, hook_type, hook_name, hook_config)
    VALUES (owner_id, project_id, event_type, hook_type, hook_name, hook_config)
    RETURNING h.* INTO made;
    RETURN made;
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'hook % on % exists already', quote_literal(hook_name), quote_literal(event_type)
        USING ERRCODE = '23505', CONSTRAINT = 'uix_zerodb_hooks_user_event_name',
              DETAIL = 'User ' || owner_id || ', project ' || coalesce(project_id::text, 'all') || '.',
              HINT = 'Change it with zerodb.update_hook, or give the new one another name.';
END
$$;
COMMENT ON FUNCTION zerodb.create_hook(text, text, jsonb, uuid, text, uuid) IS 'Creates a hook: 23505 when it exists, 22023 for a bad name, type, event or config, 42501 without a user';

CREATE FUNCTION zerodb.list_hooks(
    event_type text DEFAULT NULL,
    project_id uuid DEFAULT NULL,
    active_only boolean DEFAULT true
) RETURNS SETOF zerodb.zerodb_hooks
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT h.* FROM zerodb.zerodb_hooks AS h
    WHERE (list_hooks.event_type IS NULL OR h.event_type = list_hooks.event_type)
        AND (list_hooks.project_id IS NULL OR h.project_id = list_hooks.project_id)
        AND (h.is_active OR NOT coalesce(list_hooks.active_only, true))
    ORDER BY h.created_at, h.id
$$;
COMMENT ON FUNCTION zerodb.list_hooks(text, uuid, boolean) IS 'The caller''s hooks, oldest first';

-- P0002: the same for a hook that is absent and for one of another user.
CREATE FUNCTION zerodb._no_hook(id uuid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'hook % does not exist', coalesce(id::text, 'NULL')
        USING ERRCODE = 'P0002', HINT = 'SELECT id FROM zerodb.list_hooks(active_only => false) shows your hooks.';
END
$$;

CREATE FUNCTION zerodb.get_hook(id uuid) RETURNS zerodb.zerodb_hooks
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_hook zerodb.zerodb_hooks;
BEGIN
    SELECT h.* INTO found_hook FROM zerodb.zerodb_hooks AS h WHERE h.id = get_hook.id;
    IF NOT FOUND THEN
        PERFORM zerodb._no_hook(get_hook.id);
    END IF;
    RETURN found_hook;
END
$$;
COMMENT ON FUNCTION zerodb.get_hook(uuid) IS 'One hook: P0002 when absent or another user''s';

CREATE FUNCTION zerodb.update_hook(id uuid, hook_config jsonb DEFAULT NULL, is_active boolean DEFAULT NULL)
RETURNS zerodb.zerodb_hooks
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed zerodb.zerodb_hooks;
BEGIN
    SELECT h.* INTO changed FROM zerodb.zerodb_hooks AS h WHERE h.id = update_hook.id FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM zerodb._no_hook(update_hook.id);
    END IF;
    IF update_hook.hook_config IS NOT NULL THEN
        PERFORM zerodb._check_hook(changed.hook_type, changed.hook_name, update_hook.hook_config);
        PERFORM zerodb._check_hook_function(changed.hook_type, update_hook.hook_config);
        PERFORM zerodb._check_embed_targets(changed.event_type, changed.hook_name, update_hook.hook_config);
        PERFORM zerodb._check_summary_targets(changed.event_type, changed.hook_name, update_hook.hook_config);
        UPDATE zerodb.zerodb_hooks AS h SET hook_config = update_hook.hook_config
        WHERE h.id = update_hook.id RETURNING h.* INTO changed;
    END IF;
    IF update_hook.is_active IS NOT NULL THEN
        UPDATE zerodb.zerodb_hooks AS h SET is_active = update_hook.is_active
        WHERE h.id = update_hook.id RETURNING h.* INTO changed;
    END IF;
    RETURN changed;
END
$$;
COMMENT ON FUNCTION zerodb.update_hook(uuid, jsonb, boolean) IS 'Changes a hook''s config or activity; NULL leaves as it is; P0002 when absent, 22023 for a bad config';

CREATE FUNCTION zerodb.delete_hook(id uuid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM zerodb.zerodb_hooks AS h WHERE h.id = delete_hook.id;
    IF NOT FOUND THEN
        PERFORM zerodb._no_hook(delete_hook.id);
    END IF;
END
$$;
COMMENT ON FUNCTION zerodb.delete_hook(uuid) IS 'Deletes a hook and cancels its waiting deliveries; P0002 when absent';

-- A `sql` hook names a function of one jsonb argument that the caller may execute.
CREATE FUNCTION zerodb._check_hook_function(hook_type text, hook_config jsonb) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target regprocedure;
BEGIN
    IF hook_type <> 'sql' THEN
        RETURN;
    END IF;
    BEGIN
        target := to_regprocedure((hook_config ->> 'function') || '(jsonb)');
    EXCEPTION WHEN OTHERS THEN
        target := NULL;
    END;
    IF target IS NULL THEN
        RAISE EXCEPTION 'function %(jsonb) does not exist', hook_config ->> 'function'
            USING ERRCODE = '22023',
                  HINT = 'Create it, and name it with its schema: {"function": "public.on_event"}.';
    END IF;
    IF NOT has_function_privilege(target, 'EXECUTE') THEN
        RAISE EXCEPTION 'permission denied for function %', target
            USING ERRCODE = '42501', HINT = 'The hook runs as its owner, who needs EXECUTE on the function.';
    END IF;
END
$$;
