-- API: public. Using the store: remember, and reading the graph.

-- A table of a store: 42P01 with the way out when there is none.
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
    IF content IS NULL OR content !~ '\S' THEN
        RAISE EXCEPTION 'the content of a memory is empty'
            USING ERRCODE = '22023', HINT = 'Give the text to remember.';
    END IF;
    IF entity_id IS NULL OR entity_id !~ '\S' THEN
        RAISE EXCEPTION 'the entity_id of a memory is empty'
            USING ERRCODE = '22023', HINT = 'Name who or what the memory is about, such as ''alice''.';
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
    memory_id text;
BEGIN
    PERFORM zerodb._check_memory(content, entity_id, memory_type, importance, metadata);
    target := zerodb._store_table(schema, 'zeromemory');
    -- Without a user only an administrator may write: the memory is then of no tenant.
    PERFORM zerodb._acting_user(NULL);
    EXECUTE format('INSERT INTO %s (content, entity_id, memory_type, namespace, importance, tags, metadata) '
        'VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id', target)
    INTO memory_id
    USING content, entity_id, memory_type, coalesce(namespace, 'default'), importance, coalesce(tags, '{}'), coalesce(metadata, '{}');
    RETURN memory_id;
END
$$;
COMMENT ON FUNCTION zerodb.remember(text, text, text, text, real, text[], jsonb, name) IS 'Stores a memory about an entity and returns its id; 22023 for bad arguments, 42P01 without a store';

-- The form in which names of entities are compared: NFKC, lower case, single spaces. Whoever fills norm_name or
-- norm_alias uses this function, so that there is one form only. A database of the locale C cannot fold the case of
-- anything but ASCII by itself: there a collation that can is borrowed.
CREATE FUNCTION zerodb._norm_name(name text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF getdatabaseencoding() = 'UTF8' THEN
        name := normalize(name, NFKC);
    END IF;
    name := btrim(regexp_replace(name, '\s+', ' ', 'g'));
    IF getdatabaseencoding() = 'UTF8' AND lower(chr(196)) = chr(196) THEN
        IF to_regcollation('pg_catalog.pg_c_utf8') IS NOT NULL THEN
            RETURN lower(name COLLATE pg_c_utf8);
        ELSIF to_regcollation('pg_catalog."und-x-icu"') IS NOT NULL THEN
            RETURN lower(name COLLATE "und-x-icu");
        END IF;
    END IF;
    RETURN lower(name);
END
$$;

-- A search level by level: `seen` and `found` hold the entities and relations met so far, so no path is walked twice and
-- cycles end by themselves. It stops once "limit" relations are found. The start may show all its relations; from any
-- other entity only the 50 surest of each direction are followed, or a hub would make the answer half the graph.
CREATE FUNCTION zerodb._graph_neighbors(start_name text, max_depth integer, at timestamptz, max_rows integer, schema name)
RETURNS TABLE (source text, predicate text, target text, depth integer, confidence real, fact text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    acting uuid := nullif(zerodb._acting_user(NULL), zerodb._every_user());
    project uuid := nullif(current_setting('zerodb.project_id', true), '')::uuid;
    -- The owner of the tables passes their policy, so the tenant is asked for here as well.
    mine text := '($2 IS NULL OR %1$s.user_id = $2) AND ($3 IS NULL OR %1$s.project_id = $3)';
    -- Where the world's clock is not known, the database's is the next best.
    valid text := 'CASE WHEN $5 IS NULL THEN r.expired_at IS NULL AND (r.invalid_at IS NULL OR r.invalid_at > now()) '
        'ELSE coalesce(r.valid_at, r.created_at) <= $5 AND coalesce(r.invalid_at, r.expired_at, ''infinity'') > $5 END';
BEGIN
    IF max_depth IS NULL OR max_depth NOT BETWEEN 1 AND 6 THEN
        RAISE EXCEPTION 'invalid depth %', coalesce(max_depth::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'Give 1 to 6.';
    END IF;
    IF max_rows IS NULL OR max_rows NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'invalid limit %', coalesce(max_rows::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'Give 1 to 10000.';
    END IF;
    PERFORM zerodb._store_table(schema, 'relations');
    RETURN QUERY EXECUTE format($q$
        WITH RECURSIVE start AS (
            SELECT array_agg(DISTINCT s.id) AS ids FROM (
                SELECT coalesce(e.merged_into, e.id) AS id FROM %1$I.entities AS e WHERE e.norm_name = $1 AND %2$s
                UNION ALL
                SELECT coalesce(e.merged_into, e.id) FROM %1$I.entity_aliases AS a
                JOIN %1$I.entities AS e ON e.id = a.entity_id WHERE a.norm_alias = $1 AND %2$s) AS s
        ), level (depth, frontier, seen, edges, found) AS (
            SELECT 0, s.ids, s.ids, '{}'::bigint[], '{}'::bigint[] FROM start AS s WHERE s.ids IS NOT NULL
            UNION ALL
            SELECT l.depth + 1, n.nodes, l.seen || n.nodes, c.edges, l.found || c.edges
            FROM level AS l
            CROSS JOIN LATERAL (
                SELECT array_agg(b.id) AS edges, array_agg(b.source_id) || array_agg(b.target_id) AS ends
                FROM (SELECT DISTINCT h.id, h.source_id, h.target_id, h.confidence FROM unnest(l.frontier) AS f (id)
                    CROSS JOIN LATERAL (
                        (SELECT r.id, r.source_id, r.target_id, r.confidence FROM %1$I.relations AS r WHERE r.source_id = f.id AND %3$s AND %4$s
                            ORDER BY r.confidence DESC, r.id DESC LIMIT CASE l.depth WHEN 0 THEN $6 ELSE 50 END)
                        UNION ALL
                        (SELECT r.id, r.source_id, r.target_id, r.confidence FROM %1$I.relations AS r WHERE r.target_id = f.id AND %3$s AND %4$s
                            ORDER BY r.confidence DESC, r.id DESC LIMIT CASE l.depth WHEN 0 THEN $6 ELSE 50 END)) AS h
                    WHERE NOT EXISTS (SELECT FROM unnest(l.found) AS o (id) WHERE o.id = h.id)
                    ORDER BY h.confidence DESC, h.id DESC LIMIT $6 - cardinality(l.found)) AS b) AS c
            CROSS JOIN LATERAL (
                SELECT coalesce(array_agg(DISTINCT u.id), '{}') AS nodes FROM unnest(c.ends) AS u (id)
                WHERE NOT EXISTS (SELECT FROM unnest(l.seen) AS o (id) WHERE o.id = u.id)) AS n
            WHERE l.depth < $4 AND cardinality(l.frontier) > 0 AND cardinality(l.found) < $6 AND c.edges IS NOT NULL
        )
        SELECT e.canonical_name, r.predicate, t.canonical_name, l.depth, r.confidence, r.fact
        FROM level AS l CROSS JOIN LATERAL unnest(l.edges) AS found (id)
        JOIN %1$I.relations AS r ON r.id = found.id
        JOIN %1$I.entities AS e ON e.id = r.source_id AND %2$s
        JOIN %1$I.entities AS t ON t.id = r.target_id AND %5$s
        ORDER BY l.depth, r.confidence DESC, r.id DESC LIMIT $6
        $q$, schema, format(mine, 'e'), format(mine, 'r'), valid, format(mine, 't'))
    USING zerodb._norm_name(start_name), acting, project, max_depth, at, max_rows;
END
$$;

-- In SQL, and the search apart, because PL/pgSQL has no argument and result column of one name.
CREATE FUNCTION zerodb.graph_neighbors(
    entity text,
    depth integer DEFAULT 1,
    as_of timestamptz DEFAULT NULL,
    "limit" integer DEFAULT 100,
    schema name DEFAULT 'zerodb_store'
) RETURNS TABLE (source text, predicate text, target text, depth integer, confidence real, fact text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT n.* FROM zerodb._graph_neighbors(graph_neighbors.entity, graph_neighbors.depth, graph_neighbors.as_of,
        graph_neighbors."limit", graph_neighbors.schema) AS n
$$;
COMMENT ON FUNCTION zerodb.graph_neighbors(text, integer, timestamptz, integer, name) IS 'Relations around an entity, either direction, nearest and surest first; now, or as they were at as_of; 22023 for a depth outside 1 to 6';
