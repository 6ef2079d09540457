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
                  HINT = format('SELECT zerodb.create_store(%L, %s), or make a second store in another schema.', schema, present);
    END IF;
END
$$;

-- The default of a column: what a setting says where that is a UUID. A setting that is none makes no write fail.
CREATE FUNCTION zerodb._setting_default(setting text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('CASE WHEN pg_catalog.current_setting(%1$L, true) OPERATOR(pg_catalog.~*) %2$L '
        'THEN pg_catalog.current_setting(%1$L, true)::pg_catalog.uuid END', setting, '^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$')
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
        schema, table_name, columns, zerodb._setting_default('zerodb.user_id'), zerodb._setting_default('zerodb.project_id'));
    target := format('%I.%I', schema, table_name)::regclass;
    EXECUTE format('COMMENT ON TABLE %s IS %L', target, purpose);
    FOREACH index_columns IN ARRAY indexes LOOP
        EXECUTE format('CREATE INDEX ON %s %s', target, index_columns);
    END LOOP;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY tenant ON %s USING (user_id = (SELECT %I.tenant()))', target, schema);
    IF zerodb._has_column(target, 'updated_at') THEN
        EXECUTE format('CREATE TRIGGER touch BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %I.touch()', target, schema);
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
    -- The tenant of the current role, as the extension says it, which also knows roles that are bound to one. Without the
    -- extension, and for a role that has no rights in it, what zerodb.user_id says.
    IF to_regprocedure(format('%I.tenant()', schema)) IS NULL THEN
        EXECUTE format('CREATE FUNCTION %I.tenant() RETURNS uuid LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS %L', schema,
            $f$DECLARE
                said text := nullif(current_setting('zerodb.user_id', true), '');
                mine uuid;
            BEGIN
                IF said !~* '^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$' THEN
                    RETURN NULL;
                END IF;
                mine := said::uuid;
                IF EXISTS (SELECT FROM pg_extension AS x JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = x.oid
                        AND d.deptype = 'e' AND d.classid = 'pg_proc'::regclass
                    JOIN pg_proc AS p ON p.oid = d.objid AND p.proname = '_user_id' AND p.pronargs = 0
                    WHERE x.extname = 'zerodb_hooks' AND has_schema_privilege(p.pronamespace, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE'))
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

-- embedding_hash is for whoever embeds: the hash of what the embedding was made from. Where it differs from the content,
-- the embedding is stale; where it is null, the application gave the embedding itself.
CREATE FUNCTION zerodb._create_data_tables(schema name, dimensions integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    embedding text := zerodb._embedding_column(schema, 'embedding', dimensions)
        || ', embedding_model text, embedding_hash bytea';
BEGIN
    PERFORM zerodb._create_store_table(schema, 'vectors', 'Vectors; a row stored without an embedding is one for auto_embed', format(
        $t$id text PRIMARY KEY DEFAULT 'vec_' || replace(gen_random_uuid()::text, '-', ''),
        namespace text NOT NULL DEFAULT 'default',
        source text NOT NULL DEFAULT 'api',
        content text,
        %s,
        metadata jsonb NOT NULL DEFAULT '{}',
        updated_at timestamptz NOT NULL DEFAULT now()$t$, embedding),
        '{"(user_id, project_id, namespace)"}');
    IF zerodb._create_store_table(schema, 'files', 'Files: text in content, other bytes in content_bytes, or a storage_uri where they lie',
        $t$id text PRIMARY KEY DEFAULT 'file_' || replace(gen_random_uuid()::text, '-', ''),
        file_name text NOT NULL,
        content_type text NOT NULL DEFAULT 'application/octet-stream',
        size_bytes bigint,
        content text,
        content_bytes bytea,
        storage_uri text,
        summary text,
        summary_model text,
        summary_hash bytea,
        summary_info jsonb,
        metadata jsonb NOT NULL DEFAULT '{}',
        updated_at timestamptz NOT NULL DEFAULT now()$t$,
        '{"(user_id, project_id, file_name)"}')
    THEN
        EXECUTE format('CREATE TRIGGER measure_file BEFORE INSERT OR UPDATE OF content, content_bytes ON %I.files '
            'FOR EACH ROW EXECUTE FUNCTION %I.measure_file()', schema, schema);
    END IF;
    PERFORM zerodb._create_store_table(schema, 'file_chunks', 'Parts of files with their vectors, by auto_embed', format(
        $t$id text NOT NULL GENERATED ALWAYS AS (file_id || '#' || chunk::text) STORED,
        file_id text NOT NULL REFERENCES %I.files ON UPDATE CASCADE ON DELETE CASCADE,
        chunk integer NOT NULL,
        content text NOT NULL,
        heading text,
        %s,
        PRIMARY KEY (file_id, chunk)$t$, schema, embedding),
        '{"(user_id, project_id)"}');
    PERFORM zerodb._create_store_table(schema, 'table_rows', 'Rows of NoSQL tables',
        $t$id text PRIMARY KEY DEFAULT 'row_' || replace(gen_random_uuid()::text, '-', ''),
        table_name text NOT NULL CHECK (table_name <> ''),
        row_data jsonb NOT NULL DEFAULT '{}',
        updated_at timestamptz NOT NULL DEFAULT now()$t$,
        '{"(user_id, project_id, table_name)"}');
    PERFORM zerodb._create_store_table(schema, 'event_stream', 'The event stream: what applications publish to topics',
        $t$id text PRIMARY KEY DEFAULT 'msg_' || replace(gen_random_uuid()::text, '-', ''),
        topic text NOT NULL CHECK (topic <> ''),
        payload jsonb NOT NULL DEFAULT '{}'$t$,
        '{"(user_id, project_id, topic, created_at)"}');
END
$$;

CREATE FUNCTION zerodb._create_memory_tables(schema name, dimensions integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    embedding text := zerodb._embedding_column(schema, 'embedding', dimensions)
        || ', embedding_model text, embedding_hash bytea';
BEGIN
    PERFORM zerodb._create_store_table(schema, 'memories', 'Memories of agents', format(
        $t$id text PRIMARY KEY DEFAULT 'mem_' || replace(gen_random_uuid()::text, '-', ''),
        agent_id text,
        bank_id text,
        content text NOT NULL,
        content_length integer GENERATED ALWAYS AS (length(content)) STORED,
        %s,
        tags text[] NOT NULL DEFAULT '{}',
        metadata jsonb NOT NULL DEFAULT '{}',
        updated_at timestamptz NOT NULL DEFAULT now()$t$, embedding),
        '{"(user_id, project_id, agent_id, created_at)","(bank_id)"}');
    PERFORM zerodb._create_store_table(schema, 'zeromemory', 'What zerodb.remember stores', format(
        $t$id text PRIMARY KEY DEFAULT 'mem_' || replace(gen_random_uuid()::text, '-', ''),
        entity_id text NOT NULL,
        memory_type text NOT NULL DEFAULT 'episodic' CHECK (memory_type IN ('working', 'episodic', 'semantic')),
        namespace text NOT NULL DEFAULT 'default',
        bank_id text,
        content text NOT NULL,
        content_length integer GENERATED ALWAYS AS (length(content)) STORED,
        %s,
        importance real NOT NULL DEFAULT 0.5 CHECK (importance BETWEEN 0 AND 1),
        tags text[] NOT NULL DEFAULT '{}',
        metadata jsonb NOT NULL DEFAULT '{}',
        updated_at timestamptz NOT NULL DEFAULT now()$t$, embedding),
        '{"(user_id, project_id, entity_id, created_at)"}');
    PERFORM zerodb._create_store_table(schema, 'banks', 'Memory banks',
        $t$id text NOT NULL CHECK (id <> ''),
        profile text,
        created_by text,
        metadata jsonb NOT NULL DEFAULT '{}',
        updated_at timestamptz NOT NULL DEFAULT now(),
        -- Named by applications: what one user calls a bank is not taken for another.
        UNIQUE NULLS NOT DISTINCT (id, user_id)$t$,
        '{"(user_id, project_id)"}');
    PERFORM zerodb._create_store_table(schema, 'legal_holds', 'Legal holds on banks: one row each time one is set or released',
        zerodb._id_column() || $t$,
        bank_id text NOT NULL,
        hold_id text NOT NULL,
        action text NOT NULL DEFAULT 'set' CHECK (action IN ('set', 'released')),
        reason text$t$,
        '{"(bank_id, hold_id, created_at)"}');
END
$$;

-- Updates count only where they change what a handler reads: a handler that writes its result back must not fire again.
-- A watch that is there stays as it is, also one that the user has changed.
CREATE FUNCTION zerodb._watch_store(schema name) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted record;
    target regclass;
BEGIN
    FOR wanted IN SELECT w.* FROM (VALUES
        ('vectors', 'zerodb.vector.stored', '{}', '{insert,update}', '{content,embedding}'),
        ('vectors', 'zerodb.vector.deleted', '{}', '{delete}', NULL),
        ('memories', 'zerodb.memory.stored', '{}', '{insert,update}', '{content}'),
        ('memories', 'zerodb.memory.deleted', '{}', '{delete}', NULL),
        ('memories', 'on_retain', '{}', '{insert}', NULL),
        ('memories', 'on_forget', '{"memory_ids": "id"}', '{delete}', NULL),
        ('files', 'zerodb.file.uploaded', '{}', '{insert,update}', '{content,content_bytes,storage_uri}'),
        ('table_rows', 'zerodb.table.row_inserted', '{}', '{insert}', NULL),
        ('table_rows', 'zerodb.table.row_updated', '{}', '{update}', '{table_name,row_data}'),
        ('table_rows', 'zerodb.table.row_deleted', '{}', '{delete}', NULL),
        ('event_stream', 'zerodb.event.published', '{}', '{insert}', NULL),
        ('zeromemory', 'zeromemory.remembered', '{}', '{insert,update}', '{content}'),
        ('zeromemory', 'zeromemory.forgotten', '{}', '{delete}', NULL),
        ('zeromemory', 'on_retain', '{}', '{insert}', NULL),
        ('zeromemory', 'on_forget', '{"memory_ids": "id"}', '{delete}', NULL),
        ('banks', 'on_bank_created', '{"bank_id": "id"}', '{insert}', NULL),
        ('banks', 'on_bank_deleted', '{"bank_id": "id"}', '{delete}', NULL),
        ('legal_holds', 'on_legal_hold', '{}', '{insert}', NULL)
    ) AS w (table_name, event_type, columns, operations, update_of)
    LOOP
        target := format('%I.%I', schema, wanted.table_name)::regclass;
        IF NOT EXISTS (SELECT FROM zerodb._watch_trigger AS t
            WHERE t.tgrelid = target AND t.mapping ->> 'event' = wanted.event_type)
        THEN
            PERFORM zerodb.watch(target, wanted.event_type, wanted.columns::jsonb, wanted.operations::text[], wanted.update_of::text[]);
        END IF;
    END LOOP;
END
$$;

CREATE FUNCTION zerodb.create_store(schema name DEFAULT 'zerodb_store', dimensions integer DEFAULT 1024) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM zerodb._check_store(schema, dimensions);
    PERFORM zerodb._check_store_place(schema);
    -- Two at once, from two instances of an application that starts, do not collide.
    PERFORM zerodb._lock_store(schema);
    PERFORM zerodb._check_store(schema, dimensions);
    -- Not CREATE … IF NOT EXISTS: that wants the right to create even where there is nothing to create.
    IF NOT EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = schema) THEN
        EXECUTE format('CREATE SCHEMA %I', schema);
    END IF;
    PERFORM zerodb._create_store_functions(schema);
    PERFORM zerodb._create_data_tables(schema, dimensions);
    PERFORM zerodb._create_memory_tables(schema, dimensions);
    PERFORM zerodb._create_graph_tables(schema, dimensions);
    -- Again, before anything runs: somebody with the right to create there may have been quicker.
    PERFORM zerodb._check_store_place(schema);
    PERFORM zerodb._watch_store(schema);
END
$$;
COMMENT ON FUNCTION zerodb.create_store(name, integer) IS 'Makes the ready-made tables, watched, as yours; calling it again adds what is missing, widens the checks of an older version and changes nothing else; 42501 in a schema that is not yours, or in which something lies that is not';
