-- API: public. Changing, taking over and deleting a hook.

-- A hook of a tenant that the role acts for, locked against other changes. Not against references to it: the worker
-- writes some.
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

CREATE FUNCTION zerodb.update_hook(id uuid, hook_config jsonb DEFAULT NULL, is_active boolean DEFAULT NULL)
RETURNS zerodb.zerodb_hooks
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.update_hook(uuid, jsonb, boolean) IS
    'Changes a hook''s config or activity; NULL leaves as it is; its owner stays; P0002 when absent, 22023 for a bad config, 42501 when it works with the rights of another role';

-- The owner stays whoever edits: nobody lends its rights to a config by tuning it, and nobody works through another's.
CREATE FUNCTION zerodb._update_hook(caller oid, id uuid, hook_config jsonb, is_active boolean)
RETURNS zerodb.zerodb_hooks
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
            -- It may be the new config alone that uses the owner's rights.
            PERFORM zerodb._check_steering(caller,
                jsonb_populate_record(changed, jsonb_build_object('hook_config', _update_hook.hook_config)));
        END IF;
        kept := zerodb._checked_config(changed.hook_type, changed.hook_name, _update_hook.hook_config);
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
COMMENT ON FUNCTION zerodb.take_hook(uuid) IS
    'Makes the caller the owner of a hook, with whose rights it then works: read its config first; P0002 when absent, 42501 when its function is not one that the caller may lend its rights to';

CREATE FUNCTION zerodb._take_hook(caller oid, id uuid) RETURNS zerodb.zerodb_hooks
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    hook zerodb.zerodb_hooks := zerodb._hook_to_change(caller, id);
    old_owner name := (SELECT d.owner_name FROM zerodb.hook_detail AS d WHERE d.hook_id = _take_hook.id);
BEGIN
    PERFORM zerodb._check_hook_function(caller, hook.hook_type, hook.hook_config);
    PERFORM zerodb._own_hook(hook, caller);
    PERFORM zerodb._audit('hook.taken', hook.user_id, hook.id, hook.hook_name, jsonb_build_object('owner', old_owner),
        jsonb_build_object('owner', pg_get_userbyid(caller)));
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
