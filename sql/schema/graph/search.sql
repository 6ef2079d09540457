-- How far a search of the graph goes, and the queries of its steps.

-- How far a search goes: the relations of each direction that are followed from an entity other than the start, and the
-- mentions from which on an entity is a hub: it is shown, but not followed.
CREATE FUNCTION zerodb._graph_bounds(OUT fan_out integer, OUT hub bigint)
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT 50, 500 $$;

-- The conditions on an entity or relation `alias` of a reader: of its own, in its project where one is set. $1 is the
-- user, $2 the project. The owner of the tables passes their policy, so the tenant is asked for here as well.
CREATE FUNCTION zerodb._graph_readable(alias text, user_id uuid, project_id uuid) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT concat_ws(' AND ', 'true', CASE WHEN user_id IS NOT NULL THEN alias || '.user_id = $1' END,
        CASE WHEN project_id IS NOT NULL THEN alias || '.project_id = $2' END)
$$;

-- A relation that a search has found.
CREATE TYPE zerodb._graph_edge AS (id bigint, source_id bigint, target_id bigint, predicate text, confidence real,
    fact text, depth integer);

-- One level of a search, as a query: the relations of the entities $3, in their order, but for those found already
-- ($4), at most $5; $6 bounds those of an entity in each direction, the surest first; $7 is the moment, $8 the
-- predicates, $9 the least confidence, $10 the depth. An arm reads its index in its order and stops at the bound, and
-- the whole stops when it has enough: a relation can come twice, from either end.
CREATE FUNCTION zerodb._graph_level(schema name, at timestamptz, predicates text[], readable text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($q$
        SELECT array_agg(ROW(l.id, l.source_id, l.target_id, l.predicate, l.confidence, l.fact,
            $10)::zerodb._graph_edge)
        FROM (SELECT DISTINCT ON (b.confidence, b.id) b.*
            FROM (SELECT h.*
                FROM unnest($3) AS f (id)
                CROSS JOIN LATERAL ((SELECT r.id, r.source_id, r.target_id, r.predicate, r.confidence, r.fact
                    FROM %1$I.relations AS r
                    WHERE r.source_id = f.id AND %2$s
                    ORDER BY r.confidence DESC, r.id DESC
                    LIMIT $6) UNION ALL (SELECT r.id, r.source_id, r.target_id, r.predicate, r.confidence, r.fact
                    FROM %1$I.relations AS r
                    WHERE r.target_id = f.id AND %2$s
                    ORDER BY r.confidence DESC, r.id DESC
                    LIMIT $6)) AS h
                WHERE h.id <> ALL ($4)
                LIMIT 2 * $5) AS b
            ORDER BY b.confidence DESC, b.id DESC
            LIMIT $5) AS l
        $q$, schema, concat_ws(' AND ', readable, 'r.confidence >= $9', CASE WHEN predicates IS NOT NULL THEN 'r.predicate = ANY ($8)' END,
            -- Where the world's clock is not known, the next best counts.
            CASE WHEN at IS NULL THEN 'r.expired_at IS NULL AND (r.invalid_at IS NULL OR r.invalid_at > now())'
                ELSE 'coalesce(r.valid_at, r.said_at) <= $7 AND coalesce(r.invalid_at, r.expired_at, ''infinity'') > $7' END))
$$;

-- The entities to follow next, as a query: the ends of the relations $3 that were found last, surest first, but for
-- those followed before ($4) and the hubs.
CREATE FUNCTION zerodb._graph_frontier(schema name, readable text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($q$
        SELECT array_agg(e.id ORDER BY u.n)
        FROM (SELECT o.id, min(g.n) AS n
            FROM unnest($3) WITH ORDINALITY AS g (relation_id, source_id, target_id, predicate, confidence, fact,
                depth, n)
            CROSS JOIN LATERAL (VALUES (g.source_id), (g.target_id)) AS o (id)
            WHERE o.id <> ALL ($4)
            GROUP BY o.id) AS u
        JOIN %I.entities AS e ON e.id = u.id AND e.mention_count < $5 AND %s
        $q$, schema, readable)
$$;

-- 22023 for a search that cannot be.
CREATE FUNCTION zerodb._check_search(max_depth integer, max_rows integer, min_confidence real) RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF max_depth IS NULL OR max_depth NOT BETWEEN 1 AND 6 THEN
        RAISE EXCEPTION 'invalid depth %', coalesce(max_depth::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'Give 1 to 6.';
    END IF;
    IF max_rows IS NULL OR max_rows NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'invalid limit %', coalesce(max_rows::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'Give 1 to 10000.';
    END IF;
    IF min_confidence IS NULL OR min_confidence NOT BETWEEN 0 AND 1 THEN
        RAISE EXCEPTION 'invalid min_confidence %', coalesce(min_confidence::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'Give a number from 0 to 1.';
    END IF;
END
$$;
