-- API: public. Reading hooks: as the caller, so that row-level security on zerodb_hooks decides what exists.

CREATE FUNCTION zerodb.list_hooks(
    event_type text DEFAULT NULL,
    project_id uuid DEFAULT NULL,
    active_only boolean DEFAULT true
) RETURNS SETOF zerodb.zerodb_hooks
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    -- By the index of the user, however many hooks others have.
    SELECT h.* FROM zerodb.zerodb_hooks AS h
    WHERE h.user_id = (SELECT zerodb._user_id())
        AND (list_hooks.event_type IS NULL OR h.event_type = list_hooks.event_type)
        AND (list_hooks.project_id IS NULL OR h.project_id = list_hooks.project_id)
        AND (h.is_active OR NOT coalesce(list_hooks.active_only, true))
    UNION ALL
    -- An administrator sees all of them, and with a user set that user's.
    SELECT h.* FROM zerodb.zerodb_hooks AS h
    WHERE (SELECT zerodb._user_id() IS NULL AND zerodb._sees_all())
        AND (list_hooks.event_type IS NULL OR h.event_type = list_hooks.event_type)
        AND (list_hooks.project_id IS NULL OR h.project_id = list_hooks.project_id)
        AND (h.is_active OR NOT coalesce(list_hooks.active_only, true))
    ORDER BY created_at, id
$$;
COMMENT ON FUNCTION zerodb.list_hooks(text, uuid, boolean) IS
    'The hooks of the user that is set, oldest first; of every user for an administrator who has set none';

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
