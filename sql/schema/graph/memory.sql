-- auto_graph: reading a memory, and finding the entities that its names mean. The functions _do_graph_… run as a role
-- that may use the store (see _as_owner). Every one takes the memory's table and args {memory_id, user_id, project_id};
-- rows of another tenant are never read or written, even where the role passes row-level security. What needs no table
-- of the store is static SQL over arrays of the types below, whose plans are kept.

-- Where a memory lies, whose it is, and what it says; content_hash is null where there is no such memory.
CREATE TYPE zerodb._graph_memory AS (store name, memory_table text, id text, user_id uuid, project_id uuid,
    subject text, said_at timestamptz,
    size integer, content text, content_hash bytea);
-- A name in a memory: `place` is its index in the list, `given` the entity that the worker takes it for.
CREATE TYPE zerodb._graph_name AS (place integer, name text, norm_name text, entity_type text, given bigint,
    source text, score real,
    aliases text[], norm_aliases text[], vector_place integer, needs_review boolean);
-- The entity of a name, and how it was found.
CREATE TYPE zerodb._graph_match AS (place integer, id bigint, tier text, name text, entity_type text);

-- The conditions on a row of one tenant: $1 is the user, $2 the project, null for none. Written out, because an index
-- serves neither IS NOT DISTINCT FROM nor a parameter that may be null.
CREATE FUNCTION zerodb._graph_scope(alias text, memory zerodb._graph_memory) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN format('%1$s.user_id %2$s AND %1$s.project_id %3$s', alias,
        CASE WHEN memory.user_id IS NULL THEN 'IS NULL' ELSE '= $1' END,
        CASE WHEN memory.project_id IS NULL THEN 'IS NULL' ELSE '= $2' END);
END
$$;

-- Whether a table is one of memories that a graph belongs to.
CREATE FUNCTION zerodb._holds_memories(relid oid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT zerodb._has_column(relid, 'content') AND zerodb._has_column(relid, 'user_id')
    AND zerodb._has_column(relid, 'project_id') AND zerodb._primary_key(relid) = '{id}'
    AND EXISTS (SELECT FROM pg_class AS c
        WHERE c.relname = 'relation_sources'
            AND c.relnamespace = (SELECT m.relnamespace FROM pg_class AS m WHERE m.oid = relid))
$$;

-- Where args say that a memory lies. 22023 where the table is not one of a store's memories, 42501 where the store's
-- code is not the caller's to run.
CREATE FUNCTION zerodb._graph_place(relid oid, args jsonb) RETURNS zerodb._graph_memory
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    place record;
BEGIN
    SELECT n.nspname AS store, c.relname AS memory_table, args ->> 'memory_id' AS id, args ->> 'user_id' AS user_id,
        args ->> 'project_id' AS project_id
    INTO place
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = relid;
    IF zerodb._holds_memories(relid) IS NOT TRUE THEN
        RAISE EXCEPTION 'table % holds no memories of a store', coalesce(relid::regclass::text, 'NULL')
            USING ERRCODE = '22023', DETAIL = 'The hook and the table do not fit.',
                  HINT = 'auto_graph works on the tables memories and zeromemory that zerodb.create_store makes.';
    END IF;
    PERFORM zerodb._check_graph_coders(place.store);
    RETURN jsonb_populate_record(NULL::zerodb._graph_memory, to_jsonb(place));
END
$$;

-- A memory with what it says. Content above 1 MiB is not read.
CREATE FUNCTION zerodb._graph_load(relid oid, memory zerodb._graph_memory) RETURNS zerodb._graph_memory
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    loaded record;
BEGIN
    EXECUTE format('SELECT %s AS subject, m.created_at AS said_at, octet_length(m.content) AS size, '
        'CASE WHEN octet_length(m.content) <= 1048576 THEN m.content END AS content, '
        'sha256(convert_to(m.content, ''UTF8'')) AS content_hash FROM %I.%I AS m WHERE m.id = $3 AND %s',
        CASE WHEN zerodb._has_column(relid, 'entity_id') THEN 'm.entity_id' ELSE 'NULL::text' END,
        memory.store, memory.memory_table, zerodb._graph_scope('m', memory))
    INTO loaded USING memory.user_id, memory.project_id, memory.id;
    RETURN jsonb_populate_record(memory, coalesce(to_jsonb(loaded), '{}'));
END
$$;
