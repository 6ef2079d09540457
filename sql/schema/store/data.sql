-- The store's tables of data and of memories.

-- embedding_hash is for whoever embeds: the hash of what the embedding was made from. Where it differs from the
-- content, the embedding is stale; where it is null, the application gave the embedding itself.
CREATE FUNCTION zerodb._create_data_tables(schema name, dimensions integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    embedding text := zerodb._embedding_column(schema, 'embedding', dimensions)
        || ', embedding_model text, embedding_hash bytea';
BEGIN
    PERFORM zerodb._create_store_table(schema, 'vectors',
        'Vectors; a row stored without an embedding is one for auto_embed', format(
        $t$id text PRIMARY KEY DEFAULT 'vec_' || replace(gen_random_uuid()::text, '-', ''),
        namespace text NOT NULL DEFAULT 'default',
        source text NOT NULL DEFAULT 'api',
        content text,
        %s,
        metadata jsonb NOT NULL DEFAULT '{}',
        updated_at timestamptz NOT NULL DEFAULT now()$t$, embedding),
        '{"(user_id, project_id, namespace)"}');
    IF zerodb._create_store_table(schema, 'files',
        'Files: text in content, other bytes in content_bytes, or a storage_uri where they lie',
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
    PERFORM zerodb._create_store_table(schema, 'file_chunks', 'Parts of files with their vectors, by auto_embed',
        format(
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
    PERFORM zerodb._create_store_table(schema, 'legal_holds',
        'Legal holds on banks: one row each time one is set or released',
        zerodb._id_column() || $t$,
        bank_id text NOT NULL,
        hold_id text NOT NULL,
        action text NOT NULL DEFAULT 'set' CHECK (action IN ('set', 'released')),
        reason text$t$,
        '{"(bank_id, hold_id, created_at)"}');
END
$$;
