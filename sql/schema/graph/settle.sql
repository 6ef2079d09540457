-- auto_graph: when a fact was true, as the memories that said it and its rivals have it.

-- With each relation, the others that say the same of other times; with one of a single-valued predicate, the others of
-- that entity too: what ends one of them may begin another.
CREATE FUNCTION zerodb._graph_rivals(memory zerodb._graph_memory, ids bigint[]) RETURNS bigint[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    predicates text[];
    rivals bigint[];
    twins bigint[];
BEGIN
    EXECUTE format($q$
        SELECT array_agg(DISTINCT s.id)
        FROM %1$I.relations AS r
        JOIN %1$I.relations AS s ON s.source_id = r.source_id AND s.predicate = r.predicate
            AND s.target_id = r.target_id AND %2$s
        WHERE r.id = ANY ($3) AND %3$s
        $q$,
        memory.store, zerodb._graph_scope('s', memory), zerodb._graph_scope('r', memory))
    INTO twins USING memory.user_id, memory.project_id, ids;
    EXECUTE format($q$
        SELECT array_agg(DISTINCT r.predicate) FROM %I.relations AS r WHERE r.id = ANY ($3) AND %s
        $q$, memory.store, zerodb._graph_scope('r', memory))
    INTO predicates USING memory.user_id, memory.project_id, ids;
    EXECUTE format($q$
        SELECT array_agg(DISTINCT o.id)
        FROM %1$I.relations AS r
        JOIN unnest($4) AS p ON p.predicate = r.predicate AND p.single_valued
        CROSS JOIN LATERAL (SELECT r.source_id AS id UNION SELECT r.target_id WHERE p.mutual) AS e
        CROSS JOIN LATERAL (SELECT s.id
            FROM %1$I.relations AS s
            WHERE s.source_id = e.id AND s.predicate = r.predicate AND %2$s
            UNION ALL
            SELECT s.id
            FROM %1$I.relations AS s
            WHERE p.mutual AND s.target_id = e.id AND s.predicate = r.predicate AND %2$s) AS o
        WHERE r.id = ANY ($3) AND %3$s
        $q$, memory.store, zerodb._graph_scope('s', memory), zerodb._graph_scope('r', memory))
    INTO rivals USING memory.user_id, memory.project_id, ids, zerodb._graph_rules(memory, predicates);
    RETURN ids || rivals || twins;
END
$$;

-- What relations are by their sources. A fact of a single-valued predicate ends where the next begins, if that is later
-- and says something else; two that begin at once both stand.
CREATE FUNCTION zerodb._graph_due(memory zerodb._graph_memory, ids bigint[]) RETURNS zerodb._graph_fact[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    facts zerodb._graph_fact[];
    rules zerodb._graph_rule[];
BEGIN
    EXECUTE format($q$
        SELECT array_agg(ROW(r.id, r.source_id, r.predicate, r.target_id, s.confidence, s.fact, s.valid_at, s.said_at,
            s.ended, coalesce(s.valid_at, least(s.said_at, s.ended)), coalesce(s.ended, 'infinity'), NULL, NULL,
            NULL)::zerodb._graph_fact)
        FROM %1$I.relations AS r
        CROSS JOIN LATERAL (SELECT max(x.confidence) AS confidence,
                (array_agg(x.fact ORDER BY x.confidence DESC, x.said_at DESC, x.memory_id))[1] AS fact,
                min(x.valid_at) AS valid_at, min(x.said_at) AS said_at,
                CASE WHEN max(x.invalid_at) < min(x.valid_at) THEN min(x.valid_at) ELSE max(x.invalid_at) END AS ended
            FROM %1$I.relation_sources AS x
            WHERE x.relation_id = r.id AND %2$s) AS s
        WHERE r.id = ANY ($3) AND r.origin = 'extracted' AND %3$s
        $q$, memory.store, zerodb._graph_scope('x', memory), zerodb._graph_scope('r', memory))
    INTO facts USING memory.user_id, memory.project_id, ids;
    rules := zerodb._graph_rules(memory, ARRAY(SELECT DISTINCT f.predicate FROM unnest(facts) AS f));
    RETURN ARRAY(SELECT ROW(f.id, f.source_id, f.predicate, f.target_id, f.confidence, f.fact, f.valid_at, f.said_at,
            f.ended, f.since, coalesce(n.since, f.until), n.id, p.single_valued, p.mutual)::zerodb._graph_fact
        FROM unnest(facts) AS f
        LEFT JOIN unnest(rules) AS p ON p.predicate = f.predicate
        LEFT JOIN LATERAL (SELECT o.id, o.since
            FROM unnest(facts) AS o
            WHERE p.single_valued AND o.predicate = f.predicate AND o.since > f.since AND o.since < f.until
                AND (o.source_id, o.target_id) <> (f.source_id, f.target_id)
                AND (o.source_id = f.source_id
                    OR (p.mutual AND (o.source_id = f.target_id OR o.target_id IN (f.source_id, f.target_id))))
            ORDER BY o.since, o.id
            LIMIT 1) AS n ON true);
END
$$;

-- Gives one relation the sources of another that it does not have itself.
CREATE FUNCTION zerodb._graph_give_sources(memory zerodb._graph_memory, giver bigint, taker bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format($q$
        UPDATE %1$I.relation_sources AS s
        SET relation_id = $4
        WHERE s.relation_id = $3 AND %2$s
            AND NOT EXISTS (SELECT FROM %1$I.relation_sources AS o
                WHERE o.relation_id = $4 AND o.memory_id = s.memory_id AND o.memory_table = s.memory_table AND %3$s)
        $q$,
        memory.store, zerodb._graph_scope('s', memory), zerodb._graph_scope('o', memory))
    USING memory.user_id, memory.project_id, giver, taker;
END
$$;

-- Makes relations what they are by their sources: those without any go, those that say the same of overlapping times
-- become one, and the rest is computed. What does not change is not written. `rivalry`: relations of single-valued
-- predicates may be among them, or some may have lost a source.
CREATE FUNCTION zerodb._graph_settle_facts(memory zerodb._graph_memory, ids bigint[], rivalry boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_relation text := zerodb._graph_scope('r', memory);
    due zerodb._graph_fact[];
    double record;
    ends boolean;
BEGIN
    IF coalesce(cardinality(ids), 0) = 0 THEN
        RETURN;
    END IF;
    IF rivalry THEN
        ids := zerodb._graph_rivals(memory, ids);
        EXECUTE format($q$
            DELETE FROM %1$I.relations AS r
            WHERE r.id = ANY ($3) AND r.origin = 'extracted' AND %2$s
                AND NOT EXISTS (SELECT FROM %1$I.relation_sources AS s WHERE s.relation_id = r.id AND %3$s)
            $q$, memory.store, of_relation, zerodb._graph_scope('s', memory))
        USING memory.user_id, memory.project_id, ids;
    END IF;
    LOOP
        due := zerodb._graph_due(memory, ids);
        SELECT a.id AS kept, b.id AS lost
        INTO double
        FROM unnest(due) AS a
        JOIN unnest(due) AS b ON b.source_id = a.source_id AND b.predicate = a.predicate AND b.target_id = a.target_id
            AND (b.since, b.id) > (a.since, a.id) AND b.since < a.until
        ORDER BY a.since, a.id
        LIMIT 1;
        EXIT WHEN NOT FOUND;
        PERFORM zerodb._graph_give_sources(memory, double.lost, double.kept);
        EXECUTE format($q$
            DELETE FROM %I.relations AS r WHERE r.id = $3 AND %s
            $q$, memory.store, of_relation) USING memory.user_id, memory.project_id, double.lost;
    END LOOP;
    -- First those that end, or the index of what is true now would see two.
    FOREACH ends IN ARRAY '{true,false}'::boolean[] LOOP
        EXECUTE format($q$
            UPDATE %I.relations AS r
            SET confidence = d.confidence, fact = d.fact, valid_at = d.valid_at, said_at = d.said_at,
                invalid_at = nullif(d.until, 'infinity'), superseded_by = d.superseded_by,
                expired_at = CASE WHEN d.superseded_by IS NOT NULL THEN coalesce(r.expired_at, now()) END
            FROM unnest($3) AS d
            WHERE r.id = d.id AND %s AND (d.until < 'infinity') = $4
                AND (r.confidence, r.fact, r.valid_at, r.said_at, r.invalid_at, r.superseded_by,
                    r.expired_at IS NOT NULL) IS DISTINCT FROM (d.confidence, d.fact, d.valid_at, d.said_at,
                    nullif(d.until, 'infinity'), d.superseded_by, d.superseded_by IS NOT NULL)
            $q$, memory.store, of_relation)
        USING memory.user_id, memory.project_id, due, ends;
    END LOOP;
END
$$;
