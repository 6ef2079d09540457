-- What the columns of the graph's tables have in common.

-- The tenant of a row as one value that is never null; 0, 16 or 17, 32 bytes: no two tenants have the same. A reference
-- with user_id and project_id themselves would not be checked where one of them is null.
CREATE FUNCTION zerodb._tenant_key_column() RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT
    'tenant bytea NOT NULL GENERATED ALWAYS AS (coalesce(uuid_send(user_id), decode(''00'', ''hex'')) || coalesce(uuid_send(project_id), '''')) STORED'
$$;

-- A random id of 62 bits.
CREATE FUNCTION zerodb._id_column() RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT
    'id bigint PRIMARY KEY DEFAULT ((''x'' || encode(substr(uuid_send(gen_random_uuid()), 9), ''hex''))::bit(64)::bigint & 4611686018427387903)'
$$;

-- The check of a predicate: 1 to 64 letters of any script, digits and _, not a digit or _ first, and no small letter of
-- English. By code points, because what is a letter depends on the server's locale; the worker is stricter. Of the rest
-- of Unicode it refuses controls, spaces and what is not seen.
CREATE FUNCTION zerodb._predicate_check(column_name name) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on
AS $$
    SELECT format('%I ~ %L', column_name,
    '^[^\u0001-\u0040\u005b-\u00a9\u2000-\u206f\u3000\ufeff][^\u0001-\u002f\u003a-\u0040\u005b-\u005e\u0060-\u00a9\u2000-\u206f\u3000\ufeff]{0,63}$')
$$;

-- A store of an older version takes predicates of English only: the wider check in place of it. Its rows fit the old
-- one, so they are not read again.
CREATE FUNCTION zerodb._widen_predicates(schema name) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    narrow record;
BEGIN
    FOR narrow IN
        SELECT c.conrelid::regclass AS target, c.conname, a.attname
        FROM pg_constraint AS c JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype = 'c' AND a.attname IN ('predicate', 'inverse')
            AND pg_get_constraintdef(c.oid) LIKE '%^[A-Z][A-Z0-9!_]{0,63}$%' ESCAPE '!'
            AND c.conrelid IN (to_regclass(format('%I.relations', schema)),
                to_regclass(format('%I.predicates', schema)))
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %2$I CHECK (%3$s) NOT VALID', narrow.target,
            narrow.conname,
            zerodb._predicate_check(narrow.attname));
    END LOOP;
END
$$;

-- The definition of a reference to a row of the same tenant. superseded_by has none: one with a generated column cannot
-- be set to null, and a fact that names a stranger's is nobody's harm.
CREATE FUNCTION zerodb._tenant_reference(schema name, column_name name, table_name name) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('FOREIGN KEY (%I, tenant) REFERENCES %I.%I (id, tenant) ON DELETE CASCADE', column_name, schema,
    table_name)
$$;
