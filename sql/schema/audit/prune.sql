-- What the worker does for the audit trail. It says neither how long rows are kept nor what a setting is: both are
-- looked up here.

-- Deletes, of the oldest rows, those that have been kept for as long as the setting says. Returns whether there may be
-- more. Index: the primary key.
CREATE FUNCTION zerodb._prune_audit(batch integer) RETURNS boolean
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    since timestamptz := zerodb._audit_since();
    pruned bigint;
BEGIN
    DELETE FROM zerodb.audit AS a WHERE a.id IN (
        SELECT o.id FROM (SELECT q.id, q.at FROM zerodb.audit AS q ORDER BY q.id LIMIT batch) AS o WHERE o.at < since);
    GET DIAGNOSTICS pruned = ROW_COUNT;
    RETURN pruned > 0;
END
$$;

-- Notes which of the settings that only a superuser gives differ from what was noted last for this login, or from
-- their defaults: nothing tells the extension of an ALTER DATABASE.
CREATE FUNCTION zerodb._note_settings() RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Loads the library: before that, anybody may have given the names a value.
    PERFORM zerodb._limit('audit_retention');
    PERFORM zerodb._audit('setting.changed', zerodb._every_user(), NULL, s.name,
        jsonb_build_object('value', coalesce(n.value, s.boot_val)), jsonb_build_object('value', s.setting))
    FROM pg_settings AS s
    LEFT JOIN LATERAL (
        SELECT a.after ->> 'value' AS value FROM zerodb.audit AS a
        WHERE a.object = s.name AND a.hook_id IS NULL AND a.action = 'setting.changed' AND a.session_role = session_user
        ORDER BY a.id DESC LIMIT 1) AS n ON true
    WHERE s.name LIKE 'zerodb.%' AND s.context = 'superuser' AND s.setting <> coalesce(n.value, s.boot_val);
END
$$;
