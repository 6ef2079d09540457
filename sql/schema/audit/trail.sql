-- The audit trail: who changed what acts later, and when. Rows come in the transaction of the change itself, from the
-- functions and triggers that make it, and go with their retention; nobody has a right to write here.

CREATE TABLE zerodb.audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    action text NOT NULL CHECK (action ~ '^[a-z_]{1,40}[.][a-z_]{1,40}$'),
    user_id uuid NOT NULL,
    hook_id uuid,
    object text NOT NULL CHECK (octet_length(object) <= 1024),
    session_role name NOT NULL,
    role name NOT NULL,
    acting_for uuid,
    before jsonb,
    after jsonb
);
COMMENT ON TABLE zerodb.audit IS
    'Append-only trail of what was changed: hooks, secrets, watches, rights, budgets, and deliveries by hand';
COMMENT ON COLUMN zerodb.audit.user_id IS 'Whose it is that was changed, and who sees the row; the nil UUID: every user''s, which administrators see';
COMMENT ON COLUMN zerodb.audit.object IS 'Its name: of a hook, table, role, endpoint, event type, setting, or the number of a delivery';
COMMENT ON COLUMN zerodb.audit.session_role IS 'Who has logged in';
COMMENT ON COLUMN zerodb.audit.role IS 'Who has called: the current role at that time';
COMMENT ON COLUMN zerodb.audit.acting_for IS 'The user that the caller acted for; null for none in particular';
COMMENT ON COLUMN zerodb.audit.before IS 'What was different before; what may hold a secret is left out, see _audited_config';
-- Newest first: of a user, of a hook, of any other thing.
CREATE INDEX audit_user ON zerodb.audit (user_id, id);
CREATE INDEX audit_hook ON zerodb.audit (hook_id, id) WHERE hook_id IS NOT NULL;
-- The action comes first: an object's name is what its user gave it, and may be that of another's table.
CREATE INDEX audit_object ON zerodb.audit (action, object, id) WHERE hook_id IS NULL;
SELECT pg_catalog.pg_extension_config_dump('zerodb.audit', '');
SELECT pg_catalog.pg_extension_config_dump(pg_catalog.pg_get_serial_sequence('zerodb.audit', 'id')::regclass, '');

-- Refuses what an append-only table has no use for, also when its owner or a superuser asks.
CREATE FUNCTION zerodb._refuse_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = '42501', DETAIL = 'Its rows leave by their retention alone.',
              HINT = 'Set zerodb.audit_retention to keep them for a shorter time.';
END
$$;
CREATE TRIGGER refuse_change BEFORE UPDATE OR TRUNCATE ON zerodb.audit
FOR EACH STATEMENT EXECUTE FUNCTION zerodb._refuse_change();

CREATE FUNCTION zerodb._refuse_early_end() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM gone AS g WHERE g.at >= (SELECT zerodb._audit_since())) THEN
        RAISE EXCEPTION 'rows of zerodb.audit are younger than their retention'
            USING ERRCODE = '42501', DETAIL = 'Its rows leave by their retention alone.',
                  HINT = 'Set zerodb.audit_retention to keep them for a shorter time.';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER refuse_early_end AFTER DELETE ON zerodb.audit
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION zerodb._refuse_early_end();
ALTER TABLE zerodb.audit ENABLE ALWAYS TRIGGER refuse_change, ENABLE ALWAYS TRIGGER refuse_early_end;

-- What is older has been kept for as long as the setting says.
CREATE FUNCTION zerodb._audit_since() RETURNS timestamptz
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN l.seconds = 0 THEN '-infinity' ELSE clock_timestamp() - make_interval(secs => l.seconds) END
    FROM (SELECT zerodb._limit('audit_retention') AS seconds) AS l
$$;

-- What is kept of a value: all of it up to 16 KiB, else its size.
CREATE FUNCTION zerodb._audited(value jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN octet_length(value::text) <= 16384 THEN value
        WHEN value IS NOT NULL THEN jsonb_build_object('bytes', octet_length(value::text)) END
$$;

-- Appends one row. With the rights of the extension's owner: the callers are functions that have them, and the grants,
-- which a superuser runs.
CREATE FUNCTION zerodb._audit(action text, user_id uuid, hook_id uuid, object text, before jsonb, after jsonb)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    caller oid := zerodb._caller();
BEGIN
    INSERT INTO zerodb.audit (action, user_id, hook_id, object, session_role, role, acting_for, before, after)
    VALUES (action, user_id, hook_id, left(object, 250), session_user, pg_get_userbyid(caller), zerodb._tenant(caller),
        zerodb._audited(before), zerodb._audited(after));
END
$$;
