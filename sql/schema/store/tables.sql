-- API: public. The store: ready-made tables that belong to whoever calls create_store. They outlive the extension, so
-- nothing of them but the watches' triggers (which DROP EXTENSION removes) names an object of the schema zerodb.

-- Dimensions of the vectors of an existing store; null where there is none.
CREATE FUNCTION zerodb._store_dimensions(schema name) RETURNS integer
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN a.atttypid = 'real[]'::regtype THEN
            (SELECT max(substring(pg_get_constraintdef(c.oid) FROM 'cardinality[(]embedding[)] = ([0-9]+)')::integer)
            FROM pg_constraint AS c WHERE c.conrelid = a.attrelid AND c.contype = 'c')
        WHEN t.typname = 'vector' THEN nullif(a.atttypmod, -1)
        END
    FROM pg_attribute AS a
    JOIN pg_type AS t ON t.oid = a.atttypid
    JOIN pg_class AS r ON r.oid = a.attrelid
    JOIN pg_namespace AS n ON n.oid = r.relnamespace
    WHERE n.nspname = schema AND r.relname = 'vectors' AND a.attname = 'embedding' AND NOT a.attisdropped
$$;

-- The definition of a column of embeddings. Only pgvector's own type counts, in whatever schema it is installed: a type
-- of that name which somebody else made must not get into the tables. A store made without pgvector stays without.
-- No vector index: it would slow every writer, and which one pays depends on the searches.
CREATE FUNCTION zerodb._embedding_column(schema name, column_name name, dimensions integer) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(
        (SELECT format('%I %I.vector(%s)', column_name, n.nspname, dimensions)
            FROM pg_extension AS e
            JOIN pg_namespace AS n ON n.oid = e.extnamespace
            JOIN pg_type AS t ON t.typnamespace = e.extnamespace AND t.typname = 'vector'
            WHERE e.extname = 'vector' AND NOT EXISTS (
                SELECT FROM pg_attribute AS a
                WHERE a.attrelid = to_regclass(format('%I.vectors', schema)) AND a.attname = 'embedding'
                    AND a.atttypid = 'real[]'::regtype)),
        format('%I real[] CHECK (cardinality(%I) = %s)', column_name, column_name, dimensions))
$$;

-- 22023 for a schema or dimensions that cannot be.
CREATE FUNCTION zerodb._check_store(schema name, dimensions integer) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    present integer;
BEGIN
    IF schema IS NULL OR schema = '' OR schema ^@ 'pg_' OR schema IN ('zerodb', 'information_schema') THEN
        RAISE EXCEPTION 'invalid schema % for a store', coalesce(quote_literal(schema), 'NULL')
            USING ERRCODE = '22023',
                  DETAIL = 'The schemas of Postgres and of the extension itself are not for user data.',
                  HINT = 'Choose a schema of your own, or leave it out for zerodb_store.';
    END IF;
    IF dimensions IS NULL OR dimensions NOT BETWEEN 1 AND 16000 THEN
        RAISE EXCEPTION 'invalid dimensions %', coalesce(dimensions::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'Give the dimensions of your embedding model, 1 to 16000; bge-m3 has 1024.';
    END IF;
    present := zerodb._store_dimensions(schema);
    IF present <> dimensions THEN
        RAISE EXCEPTION 'store % has vectors of % dimensions, not %', quote_ident(schema), present, dimensions
            USING ERRCODE = '22023',
                  HINT = format('SELECT zerodb.create_store(%L, %s), or make a second store in another schema.',
                      schema, present);
    END IF;
END
$$;

-- The default of a column: what a setting says where that is a UUID. A setting that is none makes no write fail.
CREATE FUNCTION zerodb._setting_default(setting text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('CASE WHEN pg_catalog.current_setting(%1$L, true) OPERATOR(pg_catalog.~*) %2$L '
        'THEN pg_catalog.current_setting(%1$L, true)::pg_catalog.uuid END', setting,
            '^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$')
$$;

-- One table with its indexes and its policy, unless it is there; returns whether it was made. `columns` and `indexes`
-- are the constants of this file. The policy keeps tenants apart; the owner of the table passes it, as always.
CREATE FUNCTION zerodb._create_store_table(schema name, table_name name, purpose text, columns text, indexes text[])
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target regclass := to_regclass(format('%I.%I', schema, table_name));
    index_columns text;
BEGIN
    IF target IS NOT NULL THEN
        IF NOT (zerodb._has_column(target, 'user_id') AND zerodb._has_column(target, 'project_id')) THEN
            RAISE EXCEPTION 'table % exists already and is not of a store', target
                USING ERRCODE = '42P07', HINT = 'Give the store a schema of its own: SELECT zerodb.create_store(''my_store'').';
        END IF;
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I.%I (%s, '
        'user_id uuid DEFAULT %s, project_id uuid DEFAULT %s, created_at timestamptz NOT NULL DEFAULT now())',
        schema, table_name, columns, zerodb._setting_default('zerodb.user_id'),
            zerodb._setting_default('zerodb.project_id'));
    target := format('%I.%I', schema, table_name)::regclass;
    EXECUTE format('COMMENT ON TABLE %s IS %L', target, purpose);
    FOREACH index_columns IN ARRAY indexes LOOP
        EXECUTE format('CREATE INDEX ON %s %s', target, index_columns);
    END LOOP;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY tenant ON %s USING (user_id = (SELECT %I.tenant()))', target, schema);
    IF zerodb._has_column(target, 'updated_at') THEN
        EXECUTE format('CREATE TRIGGER touch BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %I.touch()', target,
            schema);
    END IF;
    RETURN true;
END
$$;

-- The store's own functions: user-owned, so that the tables work the same after DROP EXTENSION.
CREATE FUNCTION zerodb._create_store_functions(schema name) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- The tenant of the current role, as the extension says it, which also knows roles that are bound to one. Without
    -- the extension, and for a role that has no rights in it, what zerodb.user_id says.
    IF to_regprocedure(format('%I.tenant()', schema)) IS NULL THEN
        EXECUTE format('CREATE FUNCTION %I.tenant() RETURNS uuid LANGUAGE plpgsql STABLE PARALLEL SAFE '
            'SET search_path = pg_catalog, pg_temp AS %L', schema,
            $f$DECLARE
                said text := nullif(current_setting('zerodb.user_id', true), '');
                mine uuid;
            BEGIN
                IF said !~* '^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$' THEN
                    RETURN NULL;
                END IF;
                mine := said::uuid;
                IF EXISTS (SELECT FROM pg_extension AS x
                    JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = x.oid
                        AND d.deptype = 'e' AND d.classid = 'pg_proc'::regclass
                    JOIN pg_proc AS p ON p.oid = d.objid AND p.proname = '_user_id' AND p.pronargs = 0
                    WHERE x.extname = 'zerodb_hooks' AND has_schema_privilege(p.pronamespace, 'USAGE')
                        AND has_function_privilege(p.oid, 'EXECUTE'))
                THEN
                    EXECUTE 'SELECT zerodb._user_id()' INTO mine;
                END IF;
                RETURN mine;
            END$f$);
    END IF;
    IF to_regprocedure(format('%I.touch()', schema)) IS NULL THEN
        EXECUTE format('CREATE FUNCTION %I.touch() RETURNS trigger LANGUAGE plpgsql AS %L', schema,
            'BEGIN new.updated_at := pg_catalog.clock_timestamp(); RETURN new; END');
    END IF;
    -- Content is measured; of what lies elsewhere, the writer says the size.
    IF to_regprocedure(format('%I.measure_file()', schema)) IS NULL THEN
        EXECUTE format('CREATE FUNCTION %I.measure_file() RETURNS trigger LANGUAGE plpgsql AS %L', schema,
            'BEGIN new.size_bytes := coalesce(pg_catalog.octet_length(new.content_bytes), '
            'pg_catalog.octet_length(new.content), new.size_bytes); RETURN new; END');
    END IF;
END
$$;
