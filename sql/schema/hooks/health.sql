-- Hooks whose attempts fail one after another, and what on_hook_failure tells of a hook as a whole.

-- One row while a hook is failing or was switched off for it. Only workers write it, in short transactions: a user's open
-- transaction must hold up nobody's outcomes. So it has no reference to the hook, and rows of hooks that are gone are
-- pruned.
CREATE TABLE zerodb.hook_health (
    hook_id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    version bigint NOT NULL,
    failing_since timestamptz NOT NULL DEFAULT clock_timestamp(),
    after_id bigint NOT NULL,
    switched_off boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE zerodb.hook_health IS 'Hooks whose attempts fail, from five failures in a row until the next success';
COMMENT ON COLUMN zerodb.hook_health.version IS 'Of the hook as it failed: one that was changed since gets its time anew';
COMMENT ON COLUMN zerodb.hook_health.after_id IS 'The delivery whose failure was the last of the five';
COMMENT ON COLUMN zerodb.hook_health.switched_off IS 'The worker switched the hook off, and no attempt succeeded since';

-- The meta-event of a change of a hook's health: failing, disabled or recovered.
CREATE FUNCTION zerodb._tell_health(
    kind text,
    hook_id uuid,
    delivery_id bigint,
    attempts integer,
    last_error text
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM zerodb._emit_failure(jsonb_build_object('kind', _tell_health.kind, 'hook_id', h.id, 'hook_name', h.hook_name,
        'event', h.event_type, 'event_id', NULL, 'delivery_id', _tell_health.delivery_id, 'attempts', _tell_health.attempts,
        'last_error', left(_tell_health.last_error, 2000)),
        h.project_id, nullif(h.user_id, zerodb._every_user()), NULL)
    FROM zerodb.zerodb_hooks AS h WHERE h.id = _tell_health.hook_id;
END
$$;

-- True when a delivery of the hook completed at its first attempt since it is failing. Those that completed later are
-- seen by finish_deliveries.sql.
CREATE FUNCTION zerodb._has_recovered(health zerodb.hook_health) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM zerodb.completion AS c
        WHERE c.hook_id = health.hook_id AND c.first_id > health.after_id AND c.finished_at > health.failing_since);
END
$$;

-- Notes that so many attempts of a hook failed in a row; called again while it goes on. Tells `failing` once, and switches
-- the hook off that has been failing for longer than disable_after (null: never). A hook that changed meanwhile has
-- another cause to fail, so its time begins anew. Waits for nobody but another worker's note.
CREATE FUNCTION zerodb._note_failing(
    hook_id uuid,
    version bigint,
    delivery_id bigint,
    failures integer,
    error text,
    disable_after interval
) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    hook zerodb.zerodb_hooks;
    known zerodb.hook_health;
BEGIN
    SELECT h.* INTO hook FROM zerodb.zerodb_hooks AS h
    WHERE h.id = _note_failing.hook_id AND h.is_active AND h.xmin::text::bigint = _note_failing.version;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    INSERT INTO zerodb.hook_health (hook_id, user_id, version, after_id)
    VALUES (hook.id, hook.user_id, _note_failing.version, _note_failing.delivery_id)
    ON CONFLICT ON CONSTRAINT hook_health_pkey DO NOTHING;
    IF FOUND THEN
        PERFORM zerodb._tell_health('failing', hook.id, delivery_id, failures, error);
        RETURN 'failing';
    END IF;
    SELECT x.* INTO known FROM zerodb.hook_health AS x WHERE x.hook_id = hook.id FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL;
    ELSIF known.version <> _note_failing.version THEN
        UPDATE zerodb.hook_health AS x
        SET version = _note_failing.version, failing_since = clock_timestamp(), after_id = _note_failing.delivery_id,
            switched_off = false
        WHERE x.hook_id = hook.id;
        IF known.switched_off THEN
            PERFORM zerodb._tell_health('failing', hook.id, delivery_id, failures, error);
            RETURN 'failing';
        END IF;
    ELSIF coalesce(known.failing_since < clock_timestamp() - disable_after, false) THEN
        IF NOT zerodb._has_recovered(known) THEN
            RETURN CASE WHEN zerodb._disable_hook(hook.id, _note_failing.version,
                format('no attempt succeeded since %s, the last error: %s', zerodb._rfc3339(known.failing_since), error))
                THEN 'disabled' END;
        END IF;
    END IF;
    RETURN NULL;
END
$$;

-- Called by _disable_hook in its transaction: tells `disabled`, and keeps that a success will be a recovery.
CREATE FUNCTION zerodb._note_disabled(hook_id uuid, user_id uuid, version bigint, reason text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO zerodb.hook_health (hook_id, user_id, version, after_id, switched_off)
    VALUES (_note_disabled.hook_id, _note_disabled.user_id, _note_disabled.version,
        coalesce((SELECT s.last_value FROM pg_sequences AS s
            WHERE s.schemaname = 'zerodb' AND s.sequencename = 'delivery_id_seq'), 0), true)
    ON CONFLICT ON CONSTRAINT hook_health_pkey DO UPDATE SET switched_off = true;
    PERFORM zerodb._tell_health('disabled', _note_disabled.hook_id, NULL, NULL, _note_disabled.reason);
END
$$;
