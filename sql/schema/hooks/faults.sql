-- Hooks that the worker has switched off.

-- Why the worker switched a hook off. It goes when the hook is active again.
CREATE TABLE zerodb.hook_fault (
    hook_id uuid PRIMARY KEY REFERENCES zerodb.zerodb_hooks ON DELETE CASCADE,
    user_id uuid NOT NULL,
    switched_off_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason text NOT NULL
);
COMMENT ON TABLE zerodb.hook_fault IS 'Hooks that the worker has switched off, and why';

CREATE FUNCTION zerodb._forget_fault() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM zerodb.hook_fault AS f WHERE f.hook_id = new.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_fault AFTER UPDATE OF is_active, hook_config ON zerodb.zerodb_hooks
FOR EACH ROW WHEN (new.is_active) EXECUTE FUNCTION zerodb._forget_fault();

-- Switches a hook off that is still as the caller has seen it, keeps the reason and tells on_hook_failure. False when it has changed, or when
-- somebody has it locked: the caller comes again.
CREATE FUNCTION zerodb._disable_hook(hook_id uuid, version bigint, reason text) RETURNS boolean
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner uuid;
BEGIN
    SELECT h.user_id INTO owner FROM zerodb.zerodb_hooks AS h
    WHERE h.id = _disable_hook.hook_id AND h.is_active
        AND h.xmin::text::bigint = _disable_hook.version FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE zerodb.zerodb_hooks AS h SET is_active = false WHERE h.id = _disable_hook.hook_id;
    INSERT INTO zerodb.hook_fault (hook_id, user_id, reason)
        VALUES (_disable_hook.hook_id, owner, left(_disable_hook.reason, 500))
    ON CONFLICT ON CONSTRAINT hook_fault_pkey DO UPDATE
        SET reason = excluded.reason, switched_off_at = excluded.switched_off_at;
    PERFORM zerodb._note_disabled(_disable_hook.hook_id, owner, _disable_hook.version, left(_disable_hook.reason, 500));
    RETURN true;
END
$$;
