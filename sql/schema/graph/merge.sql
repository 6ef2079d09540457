-- API: public. Making two entities one, and undoing it. What a memory named or said is kept in its mentions and sources alone,
-- merge_log has only ids and what was made by hand: it holds nothing of a memory that is retracted later.

-- Two entities of one tenant, locked, as the scope for what is done with them. P0002 where one is not there or not the
-- caller's, 22023 where they are not two live ones of one tenant.
CREATE FUNCTION zerodb._graph_pair(schema name, one bigint, other bigint) RETURNS zerodb._graph_memory
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    acting uuid := nullif(zerodb._acting_user(NULL), zerodb._every_user());
    found_two record;
BEGIN
    PERFORM zerodb._store_table(schema, 'entities');
    PERFORM zerodb._check_graph_coders(schema);
    EXECUTE format($q$
        SELECT count(*) AS n, count(*) FILTER (WHERE l.merged_into IS NULL) AS live,
            min(l.user_id::text)::uuid AS user_id, min(l.project_id::text)::uuid AS project_id,
            count(DISTINCT (l.user_id, l.project_id)) AS tenants
        FROM (SELECT e.*
            FROM %I.entities AS e
            WHERE e.id IN ($1, $2) AND ($3 IS NULL OR e.user_id = $3)
            ORDER BY e.id
            FOR UPDATE) AS l
        $q$, schema)
    INTO found_two USING one, other, acting;
    IF found_two.n < 2 AND one <> other THEN
        RAISE EXCEPTION 'there are no entities % and % of yours', one, other
            USING ERRCODE = 'P0002', HINT = 'See the table entities of your store.';
    END IF;
    IF one = other OR found_two.tenants <> 1 THEN
        RAISE EXCEPTION 'entities % and % cannot be one', one, other
            USING ERRCODE = '22023', HINT = 'Give two entities of one user and project.';
    END IF;
    RETURN jsonb_populate_record(NULL::zerodb._graph_memory,
        jsonb_build_object('store', schema, 'user_id', found_two.user_id, 'project_id', found_two.project_id,
            'size', found_two.live));
END
$$;

-- Counts the memories that mention entities.
CREATE FUNCTION zerodb._graph_count_mentions(scope zerodb._graph_memory, ids bigint[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format($q$
        UPDATE %1$I.entities AS e
        SET mention_count = (SELECT count(DISTINCT (m.memory_table, m.memory_id))
            FROM %1$I.mentions AS m
            WHERE m.entity_id = e.id AND %2$s)
        WHERE e.id = ANY ($3) AND %3$s
        $q$, scope.store, zerodb._graph_scope('m', scope), zerodb._graph_scope('e', scope))
    USING scope.user_id, scope.project_id, ids;
END
$$;

-- The relations of the loser, each with the one that the winner has already (`twin`) and its sources: [{id, source_id,
-- target_id, origin, twin, sources}].
CREATE FUNCTION zerodb._graph_twins(scope zerodb._graph_memory, winner bigint, loser bigint) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    twins jsonb;
BEGIN
    EXECUTE format($q$
        SELECT jsonb_agg(jsonb_build_object('id', r.id, 'source_id', r.source_id, 'target_id', r.target_id,
            'origin', r.origin, 'twin', t.id,
            'sources',
                (SELECT jsonb_agg(jsonb_build_array(s.memory_table, s.memory_id))
                    FROM %1$I.relation_sources AS s
                    WHERE s.relation_id = r.id AND %4$s)) ORDER BY r.id)
        FROM %1$I.relations AS r
        LEFT JOIN LATERAL (SELECT t.id
            FROM %1$I.relations AS t
            WHERE t.source_id = CASE r.source_id WHEN $4 THEN $3 ELSE r.source_id END AND t.predicate = r.predicate
                AND t.target_id = CASE r.target_id WHEN $4 THEN $3 ELSE r.target_id END AND %3$s
                AND coalesce(t.valid_at, t.said_at) < coalesce(r.invalid_at, 'infinity')
                AND coalesce(r.valid_at, r.said_at) < coalesce(t.invalid_at, 'infinity')
            ORDER BY t.expired_at IS NOT NULL, t.id
            LIMIT 1) AS t ON true
        WHERE (r.source_id = $4 OR r.target_id = $4) AND %2$s
        $q$, scope.store, zerodb._graph_scope('r', scope), zerodb._graph_scope('t', scope), zerodb._graph_scope('s', scope))
    INTO twins USING scope.user_id, scope.project_id, winner, loser;
    RETURN coalesce(twins, '[]');
END
$$;

-- Points the relations of the loser at the winner: those between the two go, those that the winner has already give it
-- their sources. Returns what is needed to undo it: [{id, source_id, target_id, twin, sources}].
CREATE FUNCTION zerodb._graph_move_relations(scope zerodb._graph_memory, winner bigint, loser bigint) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_relation text := zerodb._graph_scope('r', scope);
    moved jsonb;
    one record;
BEGIN
    EXECUTE format($q$
        DELETE FROM %I.relations AS r WHERE (r.source_id, r.target_id) IN (($3, $4), ($4, $3)) AND %s
        $q$, scope.store, of_relation)
    USING scope.user_id, scope.project_id, winner, loser;
    moved := zerodb._graph_twins(scope, winner, loser);
    FOR one IN SELECT m.* FROM jsonb_to_recordset(moved) AS m (id bigint, source_id bigint, target_id bigint,
        origin text, twin bigint) LOOP
        IF one.twin IS NULL THEN
            EXECUTE format($q$
                UPDATE %I.relations AS r
                SET source_id = CASE r.source_id WHEN $4 THEN $3 ELSE r.source_id END,
                    target_id = CASE r.target_id WHEN $4 THEN $3 ELSE r.target_id END
                WHERE r.id = $5 AND %s
                $q$, scope.store, of_relation)
            USING scope.user_id, scope.project_id, winner, loser, one.id;
        ELSE
            PERFORM zerodb._graph_give_sources(scope, one.id, one.twin);
            EXECUTE format($q$
                UPDATE %I.relations AS r SET origin = 'manual' WHERE r.id = $3 AND $4 = 'manual' AND %s
                $q$, scope.store, of_relation)
            USING scope.user_id, scope.project_id, one.twin, one.origin;
            EXECUTE format($q$
                DELETE FROM %I.relations AS r WHERE r.id = $3 AND %s
                $q$, scope.store, of_relation) USING scope.user_id, scope.project_id, one.id;
        END IF;
    END LOOP;
    PERFORM zerodb._graph_settle_facts(scope,
        ARRAY(SELECT coalesce((m ->> 'twin')::bigint, (m ->> 'id')::bigint) FROM jsonb_array_elements(moved) AS m),
        true);
    RETURN (SELECT coalesce(jsonb_agg(m - 'origin' ORDER BY n), '[]')
        FROM jsonb_array_elements(moved) WITH ORDINALITY AS u (m, n));
END
$$;

-- Points the mentions of the loser at the winner, and gives it the loser's names. Returns the aliases that were made by
-- hand.
CREATE FUNCTION zerodb._graph_move_names(scope zerodb._graph_memory, winner bigint, loser bigint) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    aliases jsonb;
BEGIN
    EXECUTE format($q$
        DELETE FROM %1$I.mentions AS m
        WHERE m.entity_id = $4 AND %2$s
            AND EXISTS (SELECT FROM %1$I.mentions AS o
                WHERE o.entity_id = $3 AND o.memory_id = m.memory_id AND o.memory_table = m.memory_table
                    AND o.norm_name = m.norm_name AND %3$s)
        $q$,
        scope.store, zerodb._graph_scope('m', scope), zerodb._graph_scope('o', scope))
    USING scope.user_id, scope.project_id, winner, loser;
    EXECUTE format($q$
        UPDATE %I.mentions AS m SET entity_id = $3, merged_from = m.merged_from || $4 WHERE m.entity_id = $4 AND %s
        $q$,
        scope.store, zerodb._graph_scope('m', scope))
    USING scope.user_id, scope.project_id, winner, loser;
    EXECUTE format($q$
        -- moved: the aliases of the loser, taken away. kept: those and its name, given to the winner.
        WITH moved AS (DELETE FROM %1$I.entity_aliases AS a WHERE a.entity_id = $4 AND %2$s RETURNING a.*),
            kept AS (INSERT INTO %1$I.entity_aliases (entity_id, norm_alias, alias, source, confidence, user_id,
                    project_id)
                SELECT $3, n.norm_alias, n.alias, n.source, n.confidence, $1, $2
                FROM (SELECT m.norm_alias, m.alias, m.source, m.confidence
                    FROM moved AS m
                    UNION ALL
                    SELECT e.norm_name, e.canonical_name, CASE e.origin WHEN 'manual' THEN 'manual' ELSE 'merged' END,
                        1
                    FROM %1$I.entities AS e
                    WHERE e.id = $4 AND %3$s) AS n
                WHERE n.norm_alias <> (SELECT e.norm_name FROM %1$I.entities AS e WHERE e.id = $3 AND %3$s)
                ON CONFLICT DO NOTHING)
        SELECT jsonb_agg(jsonb_build_array(m.norm_alias, m.alias, m.confidence))
        FROM moved AS m
        WHERE m.source = 'manual'
        $q$, scope.store, zerodb._graph_scope('a', scope), zerodb._graph_scope('e', scope))
    INTO aliases USING scope.user_id, scope.project_id, winner, loser;
    RETURN coalesce(aliases, '[]');
END
$$;

CREATE FUNCTION zerodb.merge_entities(winner bigint, loser bigint, schema name DEFAULT 'zerodb_store') RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '10s'
AS $$
DECLARE
    scope zerodb._graph_memory := zerodb._graph_pair(schema, winner, loser);
    relations jsonb;
    aliases jsonb;
BEGIN
    IF scope.size < 2 THEN
        RAISE EXCEPTION 'entity % or % is merged already', winner, loser
            USING ERRCODE = '22023', HINT = 'Merge the entities that are left, or undo: zerodb.unmerge_entity.';
    END IF;
    relations := zerodb._graph_move_relations(scope, winner, loser);
    aliases := zerodb._graph_move_names(scope, winner, loser);
    EXECUTE format($q$
        UPDATE %I.entities AS e SET merged_into = $3 WHERE (e.id = $4 OR e.merged_into = $4) AND %s
        $q$, schema, zerodb._graph_scope('e', scope))
    USING scope.user_id, scope.project_id, winner, loser;
    PERFORM zerodb._graph_count_mentions(scope, ARRAY[winner, loser]);
    EXECUTE format($q$
        INSERT INTO %I.merge_log (winner_id, loser_id, moved, user_id, project_id) VALUES ($1, $2, $3, $4, $5)
        $q$, schema)
    USING winner, loser, jsonb_build_object('aliases', aliases, 'relations', relations), scope.user_id,
          scope.project_id;
END
$$;
COMMENT ON FUNCTION zerodb.merge_entities(bigint, bigint, name) IS
    'Makes two entities of the graph one: the loser''s names, mentions and relations go to the winner; P0002 absent, 22023 not two live entities of one user';
