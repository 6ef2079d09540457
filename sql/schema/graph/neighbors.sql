-- API: public. The form of names, and reading the graph.

-- The form in which names of entities are compared: NFKC, lower case, single spaces. Whoever fills norm_name or
-- norm_alias uses this function, so that there is one form only. A database of the locale C cannot fold the case of
-- anything but ASCII by itself: there a collation that can is borrowed. At most 512 characters, as of a canonical_name:
-- one character can become eighteen, and an index holds no longer name.
CREATE FUNCTION zerodb._norm_name(name text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    name := left(name, 4096);
    IF getdatabaseencoding() = 'UTF8' THEN
        name := normalize(name, NFKC);
    END IF;
    name := btrim(left(btrim(regexp_replace(name, '[[:space:]]+', ' ', 'g')), 512));
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

-- 42501 where a graph's tables are not the caller's to use, see _check_coders.
CREATE FUNCTION zerodb._check_graph_coders(schema name) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM zerodb._check_coders(ARRAY(SELECT c.oid
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = schema
            AND c.relname IN ('entities', 'entity_aliases', 'relations', 'relation_sources',
                'mentions', 'extractions', 'predicates', 'merge_log')));
END
$$;

-- A search level by level: no relation is found twice and no entity followed twice, so cycles end by themselves. It
-- stops once max_rows relations are found. Each relation and each name is read once.
CREATE FUNCTION zerodb._graph_neighbors(
    start_name text, max_depth integer, at timestamptz, max_rows integer, predicates text[], min_confidence real,
        schema name)
RETURNS TABLE (source text, predicate text, target text, depth integer, confidence real, fact text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
    acting uuid := nullif(zerodb._acting_user(NULL), zerodb._every_user());
    project uuid := nullif(current_setting('zerodb.project_id', true), '')::uuid;
    readable text := zerodb._graph_readable('e', acting, project);
    level_query text := zerodb._graph_level(schema, at, predicates, zerodb._graph_readable('r', acting, project));
    bounds record := zerodb._graph_bounds();
    frontier bigint[];
    seen bigint[];
    edges zerodb._graph_edge[];
    reached zerodb._graph_edge[] := '{}';
BEGIN
    PERFORM zerodb._check_search(max_depth, max_rows, min_confidence);
    PERFORM zerodb._store_table(schema, 'relations');
    PERFORM zerodb._check_graph_coders(schema);
    EXECUTE format($q$
        SELECT array_agg(DISTINCT s.id)
        FROM (SELECT coalesce(e.merged_into, e.id) AS id
            FROM %1$I.entities AS e
            WHERE e.norm_name = $3 AND %2$s
            UNION ALL
            SELECT coalesce(e.merged_into, e.id)
            FROM %1$I.entity_aliases AS a
            JOIN %1$I.entities AS e ON e.id = a.entity_id
            WHERE a.norm_alias = $3 AND %2$s AND %3$s) AS s
        $q$, schema, readable, zerodb._graph_readable('a', acting, project))
    INTO frontier USING acting, project, zerodb._norm_name(start_name);
    seen := frontier;
    FOR level IN 1 .. max_depth LOOP
        EXIT WHEN frontier IS NULL OR cardinality(reached) >= max_rows;
        EXECUTE level_query INTO edges
        USING acting, project, frontier, ARRAY(SELECT g.id FROM unnest(reached) AS g), max_rows - cardinality(reached),
            CASE WHEN level = 1 THEN max_rows ELSE least(bounds.fan_out, max_rows) END, at, predicates, min_confidence,
                level;
        EXIT WHEN edges IS NULL;
        reached := reached || edges;
        EXIT WHEN level = max_depth;
        EXECUTE zerodb._graph_frontier(schema, readable) INTO frontier USING acting, project, edges, seen, bounds.hub;
        seen := seen || frontier;
    END LOOP;
    RETURN QUERY EXECUTE format($q$
        -- named: the ends of the relations found, each read once.
        WITH named AS MATERIALIZED (SELECT e.id, e.canonical_name FROM %I.entities AS e WHERE e.id = ANY ($4) AND %s)
        SELECT s.canonical_name, g.predicate, t.canonical_name, g.depth, g.confidence, g.fact
        FROM unnest($3) AS g
        JOIN named AS s ON s.id = g.source_id
        JOIN named AS t ON t.id = g.target_id
        ORDER BY g.depth, g.confidence DESC, g.id DESC
        $q$,
        schema, readable)
    USING acting, project, reached, ARRAY(SELECT g.source_id FROM unnest(reached) AS g UNION SELECT g.target_id
          FROM unnest(reached) AS g);
END
$$;

-- In SQL, and the search apart, because PL/pgSQL has no argument and result column of one name.
CREATE FUNCTION zerodb.graph_neighbors(
    entity text,
    depth integer DEFAULT 1,
    as_of timestamptz DEFAULT NULL,
    "limit" integer DEFAULT 100,
    predicates text[] DEFAULT NULL,
    min_confidence real DEFAULT 0,
    schema name DEFAULT 'zerodb_store'
) RETURNS TABLE (source text, predicate text, target text, depth integer, confidence real, fact text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT n.*
    FROM zerodb._graph_neighbors(graph_neighbors.entity, graph_neighbors.depth, graph_neighbors.as_of,
        graph_neighbors."limit", graph_neighbors.predicates, graph_neighbors.min_confidence, graph_neighbors.schema)
        AS n
$$;
COMMENT ON FUNCTION zerodb.graph_neighbors(text, integer, timestamptz, integer, text[], real, name) IS
    'Relations around an entity, either direction, nearest and surest first; now, or as they were at as_of; an entity with 500 mentions or more is shown but not followed; 22023 for arguments that cannot be';
