-- API: public. Using the store: remember.

-- A table of a store: 42P01 with the way out when there is none, 42501 where its code is not the caller's to run.
CREATE FUNCTION zerodb._store_table(schema name, table_name name) RETURNS regclass
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target regclass := to_regclass(quote_ident(schema) || '.' || quote_ident(table_name));
BEGIN
    IF target IS NULL THEN
        RAISE EXCEPTION 'there is no store %: table % does not exist',
            coalesce(quote_ident(schema), 'NULL'), coalesce(quote_ident(schema) || '.', '') || quote_ident(table_name)
            USING ERRCODE = '42P01', HINT = 'SELECT zerodb.create_store('
                || CASE WHEN schema <> 'zerodb_store' THEN quote_literal(schema) ELSE '' END || ')';
    END IF;
    PERFORM zerodb._check_coders(ARRAY[target::oid]);
    RETURN target;
END
$$;

-- 22023 for a memory that cannot be.
CREATE FUNCTION zerodb._check_memory(content text, entity_id text, memory_type text, importance real, metadata jsonb)
RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF content IS NULL OR content !~ '[^[:space:]]' THEN
        RAISE EXCEPTION 'the content of a memory is empty'
            USING ERRCODE = '22023', HINT = 'Give the text to remember.';
    END IF;
    IF entity_id IS NULL OR entity_id !~ '[^[:space:]]' THEN
        RAISE EXCEPTION 'the entity_id of a memory is empty'
            USING ERRCODE = '22023', HINT = 'Name who or what the memory is about, such as ''alice''.';
    END IF;
    -- It stands in an index, which holds no longer one.
    IF octet_length(entity_id) > 2048 THEN
        RAISE EXCEPTION 'the entity_id of a memory has % bytes, and at most 2048 are kept', octet_length(entity_id)
            USING ERRCODE = '22023', HINT = 'Name who or what the memory is about, such as ''alice''; the text itself is its content.';
    END IF;
    IF memory_type IS NULL OR memory_type NOT IN ('working', 'episodic', 'semantic') THEN
        RAISE EXCEPTION 'invalid memory_type %', coalesce(quote_literal(memory_type), 'NULL')
            USING ERRCODE = '22023', HINT = 'Give working, episodic or semantic.';
    END IF;
    IF importance IS NULL OR importance NOT BETWEEN 0 AND 1 THEN
        RAISE EXCEPTION 'invalid importance %', coalesce(importance::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'Give a number from 0 to 1.';
    END IF;
    IF jsonb_typeof(metadata) <> 'object' THEN
        RAISE EXCEPTION 'the metadata of a memory must be a JSON object'
            USING ERRCODE = '22023', HINT = 'For example {"channel": "chat"}.';
    END IF;
END
$$;

CREATE FUNCTION zerodb.remember(
    content text,
    entity_id text,
    memory_type text DEFAULT 'episodic',
    namespace text DEFAULT 'default',
    importance real DEFAULT 0.5,
    tags text[] DEFAULT '{}',
    metadata jsonb DEFAULT '{}',
    schema name DEFAULT 'zerodb_store'
) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target regclass;
    acting uuid;
    memory_id text;
BEGIN
    PERFORM zerodb._check_memory(content, entity_id, memory_type, importance, metadata);
    target := zerodb._store_table(schema, 'zeromemory');
    -- Without a user only an administrator may write: the memory is then of no tenant.
    acting := nullif(zerodb._acting_user(NULL), zerodb._every_user());
    EXECUTE format('INSERT INTO %s (content, entity_id, memory_type, namespace, importance, tags, metadata, user_id) '
        'VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id', target)
    INTO memory_id
    USING content, entity_id, memory_type, coalesce(namespace, 'default'), importance, coalesce(tags, '{}'),
          coalesce(metadata, '{}'), acting;
    RETURN memory_id;
END
$$;
COMMENT ON FUNCTION zerodb.remember(text, text, text, text, real, text[], jsonb, name) IS
    'Stores a memory about an entity and returns its id; 22023 for bad arguments, 42P01 without a store';
