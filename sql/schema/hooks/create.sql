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
COMMENT ON FUNCTION zerodb.create_hook(text, text, jsonb, uuid, text, uuid) IS
    'Creates a hook: 23505 when it exists, 22023 for a bad name, type, event or config, 42501 without a user';

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
    hook_config := zerodb._checked_config(hook_type, hook_name, hook_config);
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

-- 22023 for a webhook that is not https where zerodb.production is on. A URL that is one secret is looked at by the
-- worker, which alone knows it.
CREATE FUNCTION zerodb._check_production(hook_type text, hook_config jsonb) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF hook_type = 'webhook' AND hook_config ->> 'url' ~* '^http:' AND zerodb._is_production() THEN
        RAISE EXCEPTION '"url" in hook_config is not https'
            USING ERRCODE = '22023', COLUMN = 'url', DETAIL = 'zerodb.production is on.',
                  HINT = 'Write https://; on a server for development ALTER DATABASE … SET zerodb.production = off.';
    END IF;
END
$$;

-- Raises for what a hook cannot do for its events, though its config is in order. The function is called with the
-- owner's rights.
CREATE FUNCTION zerodb._check_work(caller oid, owner oid, event_type text, hook_type text, hook_name text,
    hook_config jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM zerodb._check_production(hook_type, hook_config);
    PERFORM zerodb._check_receiver(hook_type, hook_name, hook_config::text);
    PERFORM zerodb._check_hook_function(owner, hook_type, hook_config);
    PERFORM zerodb._check_template_fields(event_type, hook_type, hook_config);
    PERFORM zerodb._check_embed_targets(caller, event_type, hook_name, hook_config);
    PERFORM zerodb._check_summary_targets(caller, event_type, hook_name, hook_config);
    PERFORM zerodb._check_targets(caller, event_type, hook_type, hook_name, hook_config);
    PERFORM zerodb._check_content(caller, event_type, hook_type, hook_config);
END
$$;

-- 53400 when a user has as many hooks as the setting allows: every one costs the dispatch of its events.
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

-- A model without a provider is the default provider's, and which that is only the worker's file knows. Without one it
-- is the built-in local one, which knows no models: its vectors are hashed words, whatever the config names.
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
        RAISE WARNING 'hook % names the model % and no provider', quote_literal(hook.hook_name),
            quote_literal(left(model, 100))
            USING DETAIL = 'The default provider of the worker''s file serves it; where the file has none, the built-in local one does, by hashed words and rules instead of that model.',
                  HINT = 'Name one, as {"provider": "…"}. zerodb-hooks doctor tells what serves each hook.';
    END IF;
END
$$;
