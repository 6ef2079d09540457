-- API: public. Undoing a merge.

-- Makes a relation anew from the sources that it gave to its twin, as far as they still say so. Returns it; null where
-- none does.
CREATE FUNCTION zerodb._graph_part_relation(scope zerodb._graph_memory, twin bigint, source_id bigint,
    target_id bigint, sources jsonb) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    relation_id bigint;
BEGIN
    EXECUTE format($q$
        -- made: the relation that the merge had made one with another, with the sources that are left.
        WITH made AS (INSERT INTO %1$I.relations (source_id, predicate, target_id, fact, confidence, valid_at,
                invalid_at, said_at, origin, user_id, project_id)
            SELECT $4, r.predicate, $5, r.fact, r.confidence, r.valid_at, r.invalid_at, r.said_at, 'extracted',
                r.user_id, r.project_id
            FROM %1$I.relations AS r
            WHERE r.id = $3 AND %2$s
                AND EXISTS (SELECT FROM %1$I.relation_sources AS s
                    WHERE s.relation_id = r.id AND %3$s
                        AND $6 @> jsonb_build_array(jsonb_build_array(s.memory_table, s.memory_id)))
            RETURNING id)
        SELECT m.id
        FROM made AS m
        $q$, scope.store, zerodb._graph_scope('r', scope), zerodb._graph_scope('s', scope))
    INTO relation_id USING scope.user_id, scope.project_id, twin, source_id, target_id, sources;
    EXECUTE format($q$
        UPDATE %I.relation_sources AS s
        SET relation_id = $4
        WHERE s.relation_id = $3 AND $4 IS NOT NULL AND %s
            AND $5 @> jsonb_build_array(jsonb_build_array(s.memory_table, s.memory_id))
        $q$, scope.store, zerodb._graph_scope('s', scope))
    USING scope.user_id, scope.project_id, twin, relation_id, sources;
    RETURN relation_id;
END
$$;

-- Gives relations that were moved their old ends back; one that had gone into another is made anew from its sources
-- that are left.
CREATE FUNCTION zerodb._graph_restore_relations(scope zerodb._graph_memory, winner bigint, loser bigint, moved jsonb)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    one record;
    touched bigint[] := '{}';
BEGIN
    FOR one IN SELECT m.* FROM jsonb_to_recordset(moved) AS m (id bigint, source_id bigint, target_id bigint,
        twin bigint, sources jsonb) LOOP
        IF one.twin IS NULL THEN
            EXECUTE format($q$
                UPDATE %I.relations AS r
                SET source_id = CASE WHEN $4 = $7 AND r.source_id = $6 THEN $7 ELSE r.source_id END,
                    target_id = CASE WHEN $5 = $7 AND r.target_id = $6 THEN $7 ELSE r.target_id END
                WHERE r.id = $3 AND %s
                $q$,
                scope.store, zerodb._graph_scope('r', scope))
            USING scope.user_id, scope.project_id, one.id, one.source_id, one.target_id, winner, loser;
            touched := touched || one.id;
        ELSIF jsonb_typeof(one.sources) = 'array' THEN
            touched := touched || one.twin
                || zerodb._graph_part_relation(scope, one.twin, one.source_id, one.target_id, one.sources);
        END IF;
    END LOOP;
    PERFORM zerodb._graph_settle_facts(scope, array_remove(touched, NULL), true);
END
$$;

-- Gives the loser back its mentions and the names that came with them or were made by hand.
CREATE FUNCTION zerodb._graph_restore_names(scope zerodb._graph_memory, winner bigint, loser bigint, aliases jsonb)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_entity text := zerodb._graph_scope('e', scope);
    of_mention text := zerodb._graph_scope('m', scope);
BEGIN
    EXECUTE format('UPDATE %I.mentions AS m SET entity_id = $4, merged_from = trim_array(m.merged_from, 1) '
        'WHERE m.entity_id = $3 AND m.merged_from[cardinality(m.merged_from)] = $4 AND %s', scope.store, of_mention)
    USING scope.user_id, scope.project_id, winner, loser;
    EXECUTE format($q$
        DELETE FROM %1$I.entity_aliases AS a
        WHERE a.entity_id = $3 AND %2$s
            AND (a.norm_alias = (SELECT e.norm_name FROM %1$I.entities AS e WHERE e.id = $4 AND %3$s)
                OR EXISTS (SELECT FROM jsonb_array_elements($5) AS m WHERE m ->> 0 = a.norm_alias))
        $q$,
        scope.store, zerodb._graph_scope('a', scope), of_entity)
    USING scope.user_id, scope.project_id, winner, loser, aliases;
    EXECUTE format($q$
        INSERT INTO %1$I.entity_aliases (entity_id, norm_alias, alias, source, confidence, user_id, project_id)
        SELECT $3, m ->> 0, m ->> 1, 'manual', (m ->> 2)::real, $1, $2
        FROM jsonb_array_elements($4) AS m
        UNION ALL (SELECT DISTINCT ON (m.norm_name) $3, m.norm_name, m.name, 'extracted', 1, $1, $2
            FROM %1$I.mentions AS m
            JOIN %1$I.entities AS e ON e.id = m.entity_id
            WHERE m.entity_id = $3 AND m.norm_name <> e.norm_name AND %2$s AND %3$s
            ORDER BY m.norm_name, m.name)
        ON CONFLICT DO NOTHING
        $q$, scope.store, of_mention, of_entity)
    USING scope.user_id, scope.project_id, loser, aliases;
END
$$;

CREATE FUNCTION zerodb.unmerge_entity(loser bigint, schema name DEFAULT 'zerodb_store') RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '10s'
AS $$
DECLARE
    acting uuid := nullif(zerodb._acting_user(NULL), zerodb._every_user());
    scope zerodb._graph_memory;
    of_entity text;
    last record;
BEGIN
    PERFORM zerodb._store_table(schema, 'merge_log');
    EXECUTE format($q$
        SELECT g.id, g.winner_id, g.moved
        FROM %I.merge_log AS g
        WHERE g.loser_id = $1 AND g.undone_at IS NULL AND ($2 IS NULL OR g.user_id = $2)
        ORDER BY g.created_at DESC
        LIMIT 1
        $q$, schema)
    INTO last USING loser, acting;
    IF last.id IS NULL THEN
        RAISE EXCEPTION 'entity % has not been merged', loser
            USING ERRCODE = 'P0002', HINT = 'See the table merge_log of your store.';
    END IF;
    scope := zerodb._graph_pair(schema, last.winner_id, loser);
    of_entity := zerodb._graph_scope('e', scope);
    EXECUTE format('UPDATE %I.entities AS e SET merged_into = NULL WHERE e.id = $3 AND %s', schema, of_entity)
    USING scope.user_id, scope.project_id, loser;
    EXECUTE format($q$
        UPDATE %1$I.entities AS e
        SET merged_into = $4
        FROM %1$I.merge_log AS g
        WHERE g.winner_id = $4 AND g.undone_at IS NULL AND e.id = g.loser_id AND e.merged_into = $3 AND %2$s AND %3$s
        $q$, schema, of_entity, zerodb._graph_scope('g', scope))
    USING scope.user_id, scope.project_id, last.winner_id, loser;
    PERFORM zerodb._graph_restore_names(scope, last.winner_id, loser, last.moved -> 'aliases');
    PERFORM zerodb._graph_restore_relations(scope, last.winner_id, loser, last.moved -> 'relations');
    PERFORM zerodb._graph_count_mentions(scope, ARRAY[last.winner_id, loser]);
    PERFORM zerodb._graph_drop_orphans(scope, ARRAY[last.winner_id, loser]);
    EXECUTE format($q$
        UPDATE %I.merge_log AS g SET undone_at = now() WHERE g.id = $3 AND %s
        $q$, schema, zerodb._graph_scope('g', scope))
    USING scope.user_id, scope.project_id, last.id;
END
$$;
COMMENT ON FUNCTION zerodb.unmerge_entity(bigint, name) IS
    'Undoes merge_entities: what the loser brought goes back to it, as far as its memories still say so; P0002 where it was not merged';
