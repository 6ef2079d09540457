-- API: public. Managing hooks. What writes is entered through C (extension/src/api.rs) and told who calls; what only reads runs
-- as the caller, and row-level security on zerodb_hooks decides what exists.

CREATE FUNCTION zerodb.create_hook(
    event_type text,
    hook_name text,
    hook_config jsonb DEFAULT '{}',
    project_id uuid DEFAULT NULL,
    hook_type text DEFAULT 'first_party',
    user_id uuid DEFAULT NULL
) RETURNS zerodb.zerodb_hooks
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.create_hook(text, text, jsonb, uuid, text, uuid) IS 'Creates a hook: 23505 when it exists, 22023 for a bad name, type, event or config, 42501 without a user';

CREATE FUNCTION zerodb._create_hook(
    caller oid,
    event_type text,
    hook_name text,
    hook_config jsonb,
    project_id uuid,
    hook_type text,
    user_id uuid
) RETURNS zerodb.zerodb_hooks
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    owner_id uuid := zerodb._acting_user(caller, user_id);
    made zerodb.zerodb_hooks;
BEGIN
    PERFORM zerodb._check_event_pattern(event_type);
    PERFORM zerodb._check_config_size(hook_config);
    PERFORM zerodb._check_hook(hook_type, hook_name, hook_config::text);
    hook_config := zerodb._without_nulls(hook_type, hook_config);
    PERFORM zerodb._check_work(caller, caller, event_type, hook_type, hook_name, hook_config);
    PERFORM zerodb._check_hook_count(owner_id);
    INSERT INTO zerodb.zerodb_hooks AS h (user_id, project_id, event_type, hook_type, hook_name, hook_config)
    VALUES (owner_id, project_id, event_type, hook_type, hook_name, hook_config)
    RETURNING h.* INTO made;
    PERFORM zerodb._own_hook(made, caller);
    PERFORM zerodb._warn_of_model(made);
    RETURN made;
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'hook % on % exists already', quote_literal(hook_name), quote_literal(event_type)
        USING ERRCODE = '23505', CONSTRAINT = 'uix_zerodb_hooks_user_event_name',
              DETAIL = 'User ' || owner_id || ', project ' || coalesce(project_id::text, 'all') || '.',
              HINT = 'Change it with zerodb.update_hook, or give the new one another name.';
END
$$;

-- Raises for what a hook cannot do for its events, though its config is in order. The function is called with the owner's rights.
CREATE FUNCTION zerodb._check_work(caller oid, owner oid, event_type text, hook_type text, hook_name text, hook_config jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM zerodb._check_hook_function(owner, hook_type, hook_config);
    PERFORM zerodb._check_template_fields(event_type, hook_type, hook_config);
    PERFORM zerodb._check_embed_targets(caller, event_type, hook_name, hook_config);
    PERFORM zerodb._check_summary_targets(caller, event_type, hook_name, hook_config);
    PERFORM zerodb._check_targets(caller, event_type, hook_type, hook_name, hook_config);
END
$$;

-- 53400 when a user has as many hooks as the setting allows: every one costs the dispatch of his events.
CREATE FUNCTION zerodb._check_hook_count(user_id uuid) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most bigint := zerodb._limit('max_hooks_per_user');
BEGIN
    IF (SELECT count(*) FROM zerodb.zerodb_hooks AS h WHERE h.user_id = _check_hook_count.user_id) >= most THEN
        RAISE EXCEPTION 'user % has % hooks already', user_id, most
            USING ERRCODE = '53400', DETAIL = 'zerodb.max_hooks_per_user is ' || most || '.',
                  HINT = 'Delete hooks with zerodb.delete_hook, or ask a superuser to raise the setting.';
    END IF;
END
$$;

-- Hooks that read or write with the rights of their owner; of the others the owner does not matter.
CREATE FUNCTION zerodb._uses_rights(hook zerodb.zerodb_hooks) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT hook.hook_type IN ('sql', 'first_party') $$;

-- Makes a role the owner of a hook. A superuser is warned: what the hook does is then done with his rights.
CREATE FUNCTION zerodb._own_hook(hook zerodb.zerodb_hooks, role oid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE zerodb.hook_detail AS d SET owner = role, owner_name = pg_get_userbyid(role) WHERE d.hook_id = hook.id;
    IF zerodb._uses_rights(hook) AND (SELECT r.rolsuper FROM pg_roles AS r WHERE r.oid = role) THEN
        RAISE WARNING 'hook % works with the rights of a superuser', quote_literal(hook.hook_name)
            USING HINT = 'Make it as an ordinary role: zerodb.grant_user(role), then SET ROLE.';
    END IF;
END
$$;

-- A model without a provider is the default provider's, and which that is only the worker's file knows. Without one it is the
-- built-in local one, which knows no models: its vectors are hashed words, whatever the config names.
CREATE FUNCTION zerodb._warn_of_model(hook zerodb.zerodb_hooks) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    config jsonb := hook.hook_config;
    model text := CASE WHEN NOT config ? 'provider' THEN coalesce(config ->> 'model', config ->> 'map_model') END;
BEGIN
    IF config ? 'embedding_model' AND NOT config ? 'embedding_provider' AND NOT config ? 'provider' THEN
        model := coalesce(model, config ->> 'embedding_model');
    END IF;
    IF hook.hook_type = 'first_party' AND model IS NOT NULL THEN
        RAISE WARNING 'hook % names the model % and no provider', quote_literal(hook.hook_name), quote_literal(left(model, 100))
            USING DETAIL = 'The default provider of the worker''s file serves it; where the file has none, the built-in local one does, by hashed words and rules instead of that model.',
                  HINT = 'Name one, as {"provider": "…"}. zerodb-hooks doctor tells what serves each hook.';
    END IF;
END
$$;

CREATE FUNCTION zerodb.list_hooks(
    event_type text DEFAULT NULL,
    project_id uuid DEFAULT NULL,
    active_only boolean DEFAULT true
) RETURNS SETOF zerodb.zerodb_hooks
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT h.* FROM zerodb.zerodb_hooks AS h
    -- An administrator sees all of them, and with a user set that user's.
    WHERE h.user_id = coalesce((SELECT zerodb._user_id()), h.user_id)
        AND (list_hooks.event_type IS NULL OR h.event_type = list_hooks.event_type)
        AND (list_hooks.project_id IS NULL OR h.project_id = list_hooks.project_id)
        AND (h.is_active OR NOT coalesce(list_hooks.active_only, true))
    ORDER BY h.created_at, h.id
$$;
COMMENT ON FUNCTION zerodb.list_hooks(text, uuid, boolean) IS 'The hooks of the user that is set, oldest first; of every user for an administrator who has set none';

-- P0002: the same for a hook that is absent and for one of another user.
CREATE FUNCTION zerodb._no_hook(id uuid) RETURNS void
LANGUAGE plpgsql STABLE
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

-- A hook of a tenant that the role acts for, locked against other changes. Not against references to it: the worker writes some.
CREATE FUNCTION zerodb._hook_to_change(caller oid, id uuid) RETURNS zerodb.zerodb_hooks
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    hook zerodb.zerodb_hooks;
BEGIN
    SELECT h.* INTO hook FROM zerodb.zerodb_hooks AS h
    WHERE h.id = _hook_to_change.id AND zerodb._acts_for(caller, h.user_id) FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM zerodb._no_hook(_hook_to_change.id);
    END IF;
    RETURN hook;
END
$$;

-- True when a role may say what a hook does: it may act for the hook's owner, or the hook uses nobody's rights.
CREATE FUNCTION zerodb._may_steer(caller oid, hook zerodb.zerodb_hooks) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT NOT zerodb._uses_rights(hook) OR EXISTS (
        SELECT FROM zerodb.hook_detail AS d JOIN pg_roles AS r ON r.oid = d.owner
        WHERE d.hook_id = hook.id AND pg_has_role(caller, r.oid, 'USAGE'))
$$;

-- 42501 for a role that would work through another's rights.
CREATE FUNCTION zerodb._check_steering(caller oid, hook zerodb.zerodb_hooks) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner_name text := (SELECT quote_ident(r.rolname) FROM zerodb.hook_detail AS d JOIN pg_roles AS r ON r.oid = d.owner
        WHERE d.hook_id = hook.id);
BEGIN
    IF NOT zerodb._may_steer(caller, hook) THEN
        RAISE EXCEPTION 'hook % works with the rights of %', quote_literal(hook.hook_name), coalesce('role ' || owner_name, 'nobody')
            USING ERRCODE = '42501',
                  DETAIL = 'The role ' || quote_ident(pg_get_userbyid(caller)) || ' may not act for that role.',
                  HINT = 'Ask a member of that role, or make it your own: SELECT zerodb.take_hook(' || quote_literal(hook.id) || ').';
    END IF;
END
$$;

-- What a config makes the hook do: without the keys that say when, how often and how patiently.
CREATE FUNCTION zerodb._steering_keys(hook_config jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT hook_config - '{when,order_by,max_attempts,concurrency,timeout_ms,retry_count,retry_delay_ms}'::text[] $$;

CREATE FUNCTION zerodb.update_hook(id uuid, hook_config jsonb DEFAULT NULL, is_active boolean DEFAULT NULL)
RETURNS zerodb.zerodb_hooks
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.update_hook(uuid, jsonb, boolean) IS 'Changes a hook''s config or activity; NULL leaves as it is; its owner stays; P0002 when absent, 22023 for a bad config, 42501 when it works with the rights of another role';

-- The owner stays whoever edits: nobody lends his rights to a config by tuning it, and nobody works through another's.
CREATE FUNCTION zerodb._update_hook(caller oid, id uuid, hook_config jsonb, is_active boolean) RETURNS zerodb.zerodb_hooks
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed zerodb.zerodb_hooks := zerodb._hook_to_change(caller, id);
    -- The config as it is kept.
    kept jsonb;
BEGIN
    IF _update_hook.hook_config IS NOT NULL THEN
        IF NOT zerodb._sees_all(caller)
            OR zerodb._steering_keys(_update_hook.hook_config) IS DISTINCT FROM zerodb._steering_keys(changed.hook_config)
        THEN
            PERFORM zerodb._check_steering(caller, changed);
        END IF;
        PERFORM zerodb._check_config_size(_update_hook.hook_config);
        PERFORM zerodb._check_hook(changed.hook_type, changed.hook_name, _update_hook.hook_config::text);
        kept := zerodb._without_nulls(changed.hook_type, _update_hook.hook_config);
        PERFORM zerodb._check_work(caller, d.owner, changed.event_type, changed.hook_type, changed.hook_name, kept)
        FROM zerodb.hook_detail AS d WHERE d.hook_id = _update_hook.id;
        UPDATE zerodb.zerodb_hooks AS h SET hook_config = kept
        WHERE h.id = _update_hook.id RETURNING h.* INTO changed;
        PERFORM zerodb._warn_of_model(changed);
    END IF;
    IF _update_hook.is_active IS NOT NULL THEN
        UPDATE zerodb.zerodb_hooks AS h SET is_active = _update_hook.is_active
        WHERE h.id = _update_hook.id RETURNING h.* INTO changed;
    END IF;
    RETURN changed;
END
$$;

CREATE FUNCTION zerodb.take_hook(id uuid) RETURNS zerodb.zerodb_hooks
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.take_hook(uuid) IS 'Makes the caller the owner of a hook, with whose rights it then works: read its config first; P0002 when absent, 42501 when its function is not one that the caller may lend his rights to';

CREATE FUNCTION zerodb._take_hook(caller oid, id uuid) RETURNS zerodb.zerodb_hooks
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    hook zerodb.zerodb_hooks := zerodb._hook_to_change(caller, id);
BEGIN
    PERFORM zerodb._check_hook_function(caller, hook.hook_type, hook.hook_config);
    PERFORM zerodb._own_hook(hook, caller);
    -- The worker keeps what it has loaded of a hook by its version.
    UPDATE zerodb.zerodb_hooks AS h SET updated_at = clock_timestamp() WHERE h.id = hook.id RETURNING h.* INTO hook;
    RETURN hook;
END
$$;

CREATE FUNCTION zerodb.delete_hook(id uuid) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.delete_hook(uuid) IS 'Deletes a hook and cancels its waiting deliveries; P0002 when absent';

CREATE FUNCTION zerodb._delete_hook(caller oid, id uuid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM zerodb.zerodb_hooks AS h WHERE h.id = _delete_hook.id AND zerodb._acts_for(caller, h.user_id);
    IF NOT FOUND THEN
        PERFORM zerodb._no_hook(_delete_hook.id);
    END IF;
END
$$;

-- True when a role may lend its rights to a function: it is the role's own, or of one that the role may act for, or of one
-- above all. A superuser may act for everybody, so only the first and the last count for him: an ordinary role's function must
-- not run with his rights.
CREATE FUNCTION zerodb._may_run(function oid, role oid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p.proowner = role OR f.rolsuper
        OR p.proowner IN (SELECT e.extowner FROM pg_extension AS e WHERE e.extname = 'zerodb_hooks')
        OR NOT r.rolsuper AND pg_has_role(role, p.proowner, 'USAGE')
        OR NOT r.rolsuper AND p.proowner IN (SELECT d.datdba FROM pg_database AS d WHERE d.datname = current_database())
    FROM pg_proc AS p JOIN pg_roles AS f ON f.oid = p.proowner JOIN pg_roles AS r ON r.oid = role
    WHERE p.oid = function
$$;

-- The function that a `sql` hook names, as Postgres writes it, with its arguments or without them; null where there is none.
CREATE FUNCTION zerodb._named_function(name text) RETURNS regprocedure
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Only a list of arguments ends so: a name that does is quoted.
    RETURN to_regprocedure(CASE WHEN right(btrim(name), 1) = ')' THEN name ELSE name || '(jsonb)' END);
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END
$$;

-- A `sql` hook names a function of one jsonb argument that its owner may execute and may lend his rights to. 22023 when there is
-- none, 42501 when he may not.
CREATE FUNCTION zerodb._check_hook_function(role oid, hook_type text, hook_config jsonb) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text := hook_config ->> 'function';
    target regprocedure := zerodb._named_function(name);
BEGIN
    IF hook_type <> 'sql' THEN
        RETURN;
    END IF;
    IF target IS NULL THEN
        RAISE EXCEPTION 'function % does not exist', CASE WHEN right(btrim(name), 1) = ')' THEN name ELSE name || '(jsonb)' END
            USING ERRCODE = '22023',
                  HINT = 'Create it, and name it with its schema: {"function": "public.on_event"}.';
    END IF;
    IF (SELECT p.pronargs <> 1 OR p.proargtypes[0] <> 'jsonb'::regtype FROM pg_proc AS p WHERE p.oid = target) THEN
        RAISE EXCEPTION 'function % does not take an event', target
            USING ERRCODE = '22023', DETAIL = 'A hook calls its function with one argument of type jsonb.',
                  HINT = 'Name a function of that argument: {"function": "public.on_event"}, or "public.on_event(jsonb)".';
    END IF;
    IF NOT (has_function_privilege(role, target, 'EXECUTE') AND has_schema_privilege(role,
        (SELECT p.pronamespace FROM pg_proc AS p WHERE p.oid = target), 'USAGE'))
    THEN
        RAISE EXCEPTION 'permission denied for function %', target
            USING ERRCODE = '42501', HINT = 'The hook runs as its owner, who needs EXECUTE on the function.';
    END IF;
    IF zerodb._may_run(target, role) IS NOT TRUE THEN
        RAISE EXCEPTION 'function % is another role''s', target
            USING ERRCODE = '42501',
                  DETAIL = 'Whoever owns the function could do anything with the rights of ' || quote_ident(pg_get_userbyid(role)) || '.',
                  HINT = 'Make the hook as the owner of the function, or have the function owned by the hook''s owner.';
    END IF;
END
$$;
