-- The mappings of watches: what a trigger's argument must be to count, and whose events it may make. Whoever may attach
-- a trigger can write its argument by hand, so what must be believed of it stands in zerodb.watch_tenant.

-- True for an array of strings.
CREATE FUNCTION zerodb._are_strings(list jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN jsonb_typeof(list) = 'array'
        THEN NOT EXISTS (SELECT FROM jsonb_array_elements(list) AS e WHERE jsonb_typeof(e) <> 'string') ELSE false END
$$;

-- True for what _field_source makes, and for SQL's NULL: not given.
CREATE FUNCTION zerodb._is_source(source jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE coalesce(jsonb_typeof(source), 'null') WHEN 'null' THEN true WHEN 'string' THEN true
        WHEN 'object' THEN source ? 'value' AND source - 'value' = '{}' ELSE false END
$$;

-- True for a mapping of the form that _watch_mapping makes, of a registered event type. The trigger asks for the same.
CREATE FUNCTION zerodb._is_mapping(mapping jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    batch jsonb;
BEGIN
    IF jsonb_typeof(mapping) IS DISTINCT FROM 'object' OR jsonb_typeof(mapping -> 'fields') IS DISTINCT FROM 'array'
       
    THEN
        RETURN false;
    END IF;
    batch := mapping -> 'batch';
    RETURN jsonb_typeof(mapping -> 'event') IS NOT DISTINCT FROM 'string'
        AND EXISTS (SELECT FROM zerodb.event_type AS t WHERE t.name = mapping ->> 'event')
        AND zerodb._are_strings(mapping -> 'operations')
        AND mapping -> 'operations' <@ '["insert", "update", "delete"]'
        AND (NOT mapping ? 'update_of' OR zerodb._are_strings(mapping -> 'update_of'))
        AND zerodb._is_source(mapping -> 'user_id') AND zerodb._is_source(mapping -> 'project_id')
        AND zerodb._is_source(mapping -> 'bank_id')
        AND (batch IS NULL OR jsonb_typeof(batch) = 'object' AND zerodb._are_strings(batch -> 'fields')
            AND EXISTS (SELECT FROM zerodb.event_type AS t WHERE t.name = batch ->> 'event'))
        AND NOT EXISTS (SELECT FROM jsonb_array_elements(mapping -> 'fields') AS f
            WHERE CASE WHEN jsonb_typeof(f) = 'array'
                THEN jsonb_array_length(f) <> 2 OR jsonb_typeof(f -> 0) <> 'string' OR NOT zerodb._is_source(f -> 1)
                ELSE true END);
END
$$;

-- The mapping in a trigger's arguments, or null: one user's text must not make what goes through everybody's triggers
-- fail.
CREATE FUNCTION zerodb._mapping(arguments bytea) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    mapping jsonb;
BEGIN
    IF octet_length(arguments) NOT BETWEEN 3 AND zerodb._longest_mapping() + 1 THEN
        RETURN NULL;
    END IF;
    -- Each argument ends with a zero byte, so a second one is no text.
    mapping := convert_from(substring(arguments FROM 1 FOR octet_length(arguments) - 1), getdatabaseencoding())::jsonb;
    RETURN CASE WHEN zerodb._is_mapping(mapping) THEN mapping END;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END
$$;

-- Bytes; what is longer the trigger does not read.
CREATE FUNCTION zerodb._longest_mapping() RETURNS integer
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT 262144 $$;

-- The triggers of watches. One that was made by hand and is of no use is not among them; the doctor shows it.
CREATE VIEW zerodb._watch_trigger AS
SELECT
    t.oid AS trigger_id,
    t.tgrelid,
    t.tgname,
    m.mapping,
    CASE WHEN (t.tgtype & 1) = 0 AND c.relkind = 'p' THEN 'batch'
        WHEN (t.tgtype & 4) > 0 THEN 'insert' WHEN (t.tgtype & 8) > 0 THEN 'delete' ELSE 'update' END AS operation,
    t.tgargs AS arguments
FROM pg_catalog.pg_trigger AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
-- OFFSET: read once a trigger.
CROSS JOIN LATERAL (SELECT zerodb._mapping(t.tgargs) AS mapping OFFSET 0) AS m
WHERE t.tgfoid = 'zerodb._capture()'::regprocedure AND t.tgparentid = 0
    -- Neither BEFORE nor INSTEAD OF.
    AND (t.tgtype & 66) = 0 AND m.mapping IS NOT NULL;

-- Whose events a table's rows may be, where the mapping names a user and no column. Only zerodb.watch writes here, for
-- a caller who may act for that user; the trigger believes a constant user that it finds here, and no other.
CREATE TABLE zerodb.watch_tenant (
    target regclass NOT NULL,
    event_type varchar(100) NOT NULL,
    user_id uuid NOT NULL CHECK (user_id <> zerodb._every_user()),
    PRIMARY KEY (target, event_type)
);
COMMENT ON TABLE zerodb.watch_tenant IS 'The constant users of watches';
-- Without those of dropped tables: their oids would be another table's in another database.
SELECT pg_catalog.pg_extension_config_dump('zerodb.watch_tenant',
    'WHERE EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) target)');

-- Every backend reads its mappings again. ALWAYS, so that a write under replica role counts too.
CREATE TRIGGER forget_mappings AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON zerodb.watch_tenant
FOR EACH STATEMENT EXECUTE FUNCTION zerodb._forget_mappings();
ALTER TABLE zerodb.watch_tenant ENABLE ALWAYS TRIGGER forget_mappings;
CREATE TRIGGER forget_mappings AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON zerodb.event_type
FOR EACH STATEMENT EXECUTE FUNCTION zerodb._forget_mappings();
ALTER TABLE zerodb.event_type ENABLE ALWAYS TRIGGER forget_mappings;
CREATE TRIGGER forget_mappings AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON zerodb.tenant_binding
FOR EACH STATEMENT EXECUTE FUNCTION zerodb._forget_mappings();
ALTER TABLE zerodb.tenant_binding ENABLE ALWAYS TRIGGER forget_mappings;

-- The constant user of a mapping, or null. 22023 for a constant user or project that is none.
CREATE FUNCTION zerodb._constant_user(mapping jsonb) RETURNS uuid
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    field text;
    constant text;
BEGIN
    FOREACH field IN ARRAY '{project_id,user_id}'::text[] LOOP
        constant := CASE WHEN jsonb_typeof(mapping -> field) = 'object' THEN mapping -> field ->> 'value' END;
        IF constant !~* '^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$' OR field = 'user_id'
            AND constant::uuid = zerodb._every_user()
        THEN
            RAISE EXCEPTION 'invalid % %', field, quote_literal(constant)
                USING ERRCODE = '22023', HINT = 'Give the UUID of one, or a column that holds it.';
        END IF;
    END LOOP;
    RETURN constant::uuid;
END
$$;

-- API: for watch and unwatch, which run as the caller.
CREATE FUNCTION zerodb.keep_watch_tenant(target regclass, event_type text, user_id uuid) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.keep_watch_tenant(regclass, text, uuid) IS
    'What zerodb.watch notes of a constant user; null forgets it';

-- Notes, or forgets, the constant user of a watch. 42501 unless the caller may put triggers on the table and act for
-- the user.
CREATE FUNCTION zerodb._keep_watch_tenant(caller oid, target regclass, event_type text, user_id uuid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
    IF has_table_privilege(caller, target, 'TRIGGER') IS NOT TRUE THEN
        RAISE EXCEPTION 'permission denied for table %', target
            USING ERRCODE = '42501', HINT = 'Its owner may watch it.';
    END IF;
    DELETE FROM zerodb.watch_tenant AS t
    WHERE t.target = target AND t.event_type = event_type
        OR NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = t.target);
    IF user_id IS NOT NULL THEN
        INSERT INTO zerodb.watch_tenant (target, event_type, user_id)
        VALUES (target, event_type, zerodb._acting_user(caller, user_id));
    END IF;
END
$$;
