-- What the audit trail says of hooks, whichever way they are written.

-- A config without what may hold a secret: numbers, switches and the keys of the list as they are, of an address the
-- host, of a condition its beginning without the texts in it, of anything else that it is there. A secret that was
-- written out by mistake must not outlive its correction.
CREATE FUNCTION zerodb._audited_config(hook_config jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_object_agg(e.key, CASE
        WHEN jsonb_typeof(e.value) IN ('number', 'boolean', 'null') THEN e.value
        WHEN e.key IN ('when', 'order_by') THEN
            to_jsonb(left(regexp_replace(e.value #>> '{}', E'"(?:[^"\\\\]|\\\\.)*"', '"…"', 'g'), 200))
        WHEN e.key IN ('managed_by', 'method', 'format', 'level', 'function', 'model', 'provider',
            'map_model', 'embedding_model', 'embedding_provider', 'content', 'target_column', 'chunk_table')
            THEN e.value
        WHEN e.key = 'secret' AND e.value #>> '{}' ~ '^[$][{]ZERODB_SECRET_[A-Z0-9_]+[}]$' THEN e.value
        WHEN e.key = 'url' THEN to_jsonb(coalesce(
            substring(e.value #>> '{}' FROM '^(https?://)') || substring(e.value #>> '{}'
                FROM '^https?://(?:[^/?#@]*@)?([A-Za-z0-9.:-]{1,253})(?:[/?#]|$)') || '/…', '…'))
        ELSE '"…"' END), '{}')
    FROM jsonb_each(hook_config) AS e
$$;

-- The keys of an object that another has otherwise, or has not. A config that got past the check may be no object: it
-- counts as one value.
CREATE FUNCTION zerodb._differing_keys(one jsonb, other jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_object_agg(e.key, e.value), '{}')
    FROM (SELECT CASE WHEN jsonb_typeof(one) = 'object' THEN one WHEN one IS NOT NULL THEN jsonb_build_object('', one) END AS one,
        CASE WHEN jsonb_typeof(other) = 'object' THEN other ELSE jsonb_build_object('', other) END AS other) AS o
    CROSS JOIN LATERAL jsonb_each(o.one) AS e
    WHERE o.other -> e.key IS DISTINCT FROM e.value
$$;

-- A hook as the trail has it: what differs from another state of it, or all of it where there is none.
CREATE FUNCTION zerodb._audited_hook(hook zerodb.zerodb_hooks, other zerodb.zerodb_hooks) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN hook.id IS NOT NULL THEN d.parts
        || CASE WHEN d.config <> '{}' OR other.id IS NULL THEN jsonb_build_object('hook_config', zerodb._audited_config(d.config))
            ELSE '{}' END END
    FROM (SELECT
        zerodb._differing_keys(to_jsonb(hook) - unrecorded.keys, to_jsonb(other) - unrecorded.keys) AS parts,
        zerodb._differing_keys(hook.hook_config, coalesce(other.hook_config, '{}')) AS config
        FROM (SELECT '{id,created_at,updated_at,hook_config}'::text[] AS keys) AS unrecorded) AS d
$$;

-- One row of the trail for a hook that was made, changed or deleted; none where only its version moved. A hook that
-- went from one user to another is everybody's business, which is the administrators'.
CREATE FUNCTION zerodb._audit_hook(old_hook zerodb.zerodb_hooks, new_hook zerodb.zerodb_hooks) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    before jsonb := zerodb._audited_hook(old_hook, new_hook);
    after jsonb := zerodb._audited_hook(new_hook, old_hook);
    action text := CASE WHEN old_hook.id IS NULL THEN 'hook.created' WHEN new_hook.id IS NULL THEN 'hook.deleted'
        WHEN after <> '{"is_active": true}' AND after <> '{"is_active": false}' THEN 'hook.changed'
        WHEN new_hook.is_active THEN 'hook.enabled' ELSE 'hook.disabled' END;
BEGIN
    IF before = '{}' AND after = '{}' THEN
        RETURN;
    END IF;
    PERFORM zerodb._audit(action,
        CASE WHEN old_hook.user_id <> new_hook.user_id THEN zerodb._every_user()
            ELSE coalesce(new_hook.user_id, old_hook.user_id) END,
        coalesce(new_hook.id, old_hook.id), coalesce(new_hook.hook_name, old_hook.hook_name), before, after);
END
$$;

-- A hook that is older than the transaction which brings it comes from a dump, and so does its history.
CREATE FUNCTION zerodb._audit_hooks() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM zerodb._audit_hook(NULL, n) FROM new_hooks AS n WHERE n.created_at >= now() ORDER BY n.id;
    ELSIF TG_OP = 'UPDATE' THEN
        PERFORM zerodb._audit_hook(o, n) FROM old_hooks AS o FULL JOIN new_hooks AS n ON n.id = o.id
        ORDER BY coalesce(n.id, o.id);
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM zerodb._audit_hook(o, NULL) FROM old_hooks AS o ORDER BY o.id;
    ELSE
        PERFORM zerodb._audit_hook(h, NULL) FROM zerodb.zerodb_hooks AS h ORDER BY h.id;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_new AFTER INSERT ON zerodb.zerodb_hooks
REFERENCING NEW TABLE AS new_hooks FOR EACH STATEMENT EXECUTE FUNCTION zerodb._audit_hooks();
CREATE TRIGGER audit_changed AFTER UPDATE ON zerodb.zerodb_hooks
REFERENCING OLD TABLE AS old_hooks NEW TABLE AS new_hooks FOR EACH STATEMENT EXECUTE FUNCTION zerodb._audit_hooks();
CREATE TRIGGER audit_deleted AFTER DELETE ON zerodb.zerodb_hooks
REFERENCING OLD TABLE AS old_hooks FOR EACH STATEMENT EXECUTE FUNCTION zerodb._audit_hooks();
CREATE TRIGGER audit_emptied BEFORE TRUNCATE ON zerodb.zerodb_hooks
FOR EACH STATEMENT EXECUTE FUNCTION zerodb._audit_hooks();
-- ALWAYS, so that a hook written under replica role is in the trail too.
ALTER TABLE zerodb.zerodb_hooks ENABLE ALWAYS TRIGGER audit_new, ENABLE ALWAYS TRIGGER audit_changed,
    ENABLE ALWAYS TRIGGER audit_deleted, ENABLE ALWAYS TRIGGER audit_emptied;
