-- auto_graph: which memory mentions which entity, and the entities that nothing mentions any more.

-- How a memory mentions entities now.
CREATE FUNCTION zerodb._graph_mentioned(memory zerodb._graph_memory) RETURNS zerodb._graph_mention[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    mentioned zerodb._graph_mention[];
BEGIN
    EXECUTE format($q$
        SELECT array_agg(ROW(m.entity_id, m.norm_name, m.name, NULL, NULL)::zerodb._graph_mention)
        FROM %I.mentions AS m
        WHERE m.memory_id = $3 AND m.memory_table = $4 AND %s
        $q$, memory.store, zerodb._graph_scope('m', memory))
    INTO mentioned USING memory.user_id, memory.project_id, memory.id, memory.memory_table;
    RETURN coalesce(mentioned, '{}');
END
$$;

-- Each name and alias with its entity, once.
CREATE FUNCTION zerodb._graph_mentions(names zerodb._graph_name[], matches zerodb._graph_match[])
RETURNS zerodb._graph_mention[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN ARRAY(SELECT DISTINCT ON (u.id, u.norm_name) ROW(u.id, u.norm_name, u.name, u.source,
        u.score)::zerodb._graph_mention
        FROM (SELECT m.id, n.norm_name, n.name, n.source, coalesce(n.score, 1) AS score, 0 AS rank
            FROM unnest(names) AS n
            JOIN unnest(matches) AS m ON m.place = n.place
            UNION ALL
            SELECT m.id, a.norm_alias, a.alias, 'extracted', 1, 1
            FROM unnest(names) AS n
            JOIN unnest(matches) AS m ON m.place = n.place
            CROSS JOIN LATERAL unnest(n.norm_aliases, n.aliases) AS a (norm_alias, alias)) AS u
        WHERE u.norm_name <> ''
        ORDER BY u.id, u.norm_name, u.rank, u.name);
END
$$;

-- Makes the mentions of a memory `wanted` instead of `had`, and what follows from them: aliases and counts.
CREATE FUNCTION zerodb._graph_write_mentions(memory zerodb._graph_memory, had zerodb._graph_mention[],
    wanted zerodb._graph_mention[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    gone zerodb._graph_mention[] := ARRAY(SELECT h
        FROM unnest(had) AS h
        WHERE NOT EXISTS (SELECT FROM unnest(wanted) AS w
            WHERE w.entity_id = h.entity_id AND w.norm_name = h.norm_name));
    added zerodb._graph_mention[] := ARRAY(SELECT w FROM unnest(wanted) AS w
        WHERE NOT EXISTS (SELECT FROM unnest(had) AS h WHERE w.entity_id = h.entity_id AND w.norm_name = h.norm_name));
    gained bigint[] := ARRAY(SELECT w.entity_id
        FROM unnest(wanted) AS w
        EXCEPT
        SELECT h.entity_id
        FROM unnest(had) AS h);
    lost bigint[] := ARRAY(SELECT h.entity_id FROM unnest(had) AS h EXCEPT SELECT w.entity_id FROM unnest(wanted) AS w);
BEGIN
    IF gone <> '{}' THEN
        EXECUTE format($q$
            DELETE FROM %I.mentions AS m
            USING unnest($5) AS g
            WHERE m.memory_id = $3 AND m.memory_table = $4 AND m.entity_id = g.entity_id AND m.norm_name = g.norm_name
                AND %s
            $q$, memory.store, zerodb._graph_scope('m', memory))
        USING memory.user_id, memory.project_id, memory.id, memory.memory_table, gone;
    END IF;
    IF added <> '{}' THEN
        EXECUTE format($q$
            -- mention: writes the mentions; the aliases that they bring follow.
            WITH mention AS (INSERT INTO %1$I.mentions (memory_table, memory_id, entity_id, norm_name, name, user_id,
                    project_id)
                SELECT $4, $3, a.entity_id, a.norm_name, a.name, $1, $2
                FROM unnest($5) AS a)
            INSERT INTO %1$I.entity_aliases (entity_id, norm_alias, alias, source, confidence, user_id, project_id)
            SELECT a.entity_id, a.norm_name, a.name, a.source, a.score, $1, $2
            FROM unnest($5) AS a
            JOIN %1$I.entities AS e ON e.id = a.entity_id AND e.norm_name <> a.norm_name AND %2$s
            ON CONFLICT DO NOTHING
            $q$,
            memory.store, zerodb._graph_scope('e', memory))
        USING memory.user_id, memory.project_id, memory.id, memory.memory_table, added;
    END IF;
    IF gained <> '{}' OR lost <> '{}' THEN
        EXECUTE format($q$
            UPDATE %I.entities AS e
            SET mention_count = greatest(e.mention_count + CASE WHEN e.id = ANY ($3) THEN 1 ELSE -1 END, 0),
                last_seen = CASE WHEN e.id = ANY ($3) THEN greatest(e.last_seen, $5) ELSE e.last_seen END
            WHERE e.id = ANY ($3 || $4) AND %s
            $q$,
            memory.store, zerodb._graph_scope('e', memory))
        USING memory.user_id, memory.project_id, gained, lost, memory.said_at;
    END IF;
END
$$;

-- After a memory left entities: their aliases that no memory uses any more go, then entities without mention and
-- without relation. An entity whose name came from that memory alone takes a name that others use. What was made by
-- hand stays.
CREATE FUNCTION zerodb._graph_drop_orphans(memory zerodb._graph_memory, ids bigint[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_alias text := zerodb._graph_scope('a', memory);
    of_entity text := zerodb._graph_scope('e', memory);
    of_mention text := zerodb._graph_scope('m', memory);
BEGIN
    EXECUTE format($q$
        DELETE FROM %1$I.entity_aliases AS a
        WHERE a.entity_id = ANY ($3) AND a.source <> 'manual' AND %2$s
            AND NOT EXISTS (SELECT FROM %1$I.mentions AS m
                WHERE m.entity_id = a.entity_id AND m.norm_name = a.norm_alias AND %3$s)
        $q$, memory.store, of_alias, of_mention)
    USING memory.user_id, memory.project_id, ids;
    EXECUTE format('DELETE FROM %1$I.entities AS e WHERE e.id = ANY ($3) AND e.origin = ''extracted'' AND %2$s '
        'AND NOT EXISTS (SELECT FROM %1$I.mentions AS m WHERE m.entity_id = e.id AND %3$s) '
        'AND NOT EXISTS (SELECT FROM %1$I.relations AS r WHERE r.source_id = e.id AND %4$s) '
        'AND NOT EXISTS (SELECT FROM %1$I.relations AS r WHERE r.target_id = e.id AND %4$s)',
        memory.store, of_entity, of_mention, zerodb._graph_scope('r', memory))
    USING memory.user_id, memory.project_id, ids;
    -- Merged into one of these, by a name that nobody uses.
    EXECUTE format($q$
        DELETE FROM %1$I.entities AS e
        WHERE e.merged_into = ANY ($3) AND e.origin = 'extracted' AND %2$s
            AND NOT EXISTS (SELECT FROM %1$I.mentions AS m
                WHERE m.entity_id = e.merged_into AND m.norm_name = e.norm_name AND %3$s)
        $q$, memory.store, of_entity, of_mention)
    USING memory.user_id, memory.project_id, ids;
    PERFORM zerodb._graph_rename_orphans(memory, ids);
    EXECUTE format($q$
        DELETE FROM %1$I.entity_aliases AS a
        USING %1$I.entities AS e
        WHERE e.id = a.entity_id AND e.id = ANY ($3) AND a.norm_alias = e.norm_name AND %2$s AND %3$s
        $q$, memory.store, of_alias, of_entity)
    USING memory.user_id, memory.project_id, ids;
END
$$;

-- Gives entities whose name no memory uses any more one that some memory does.
CREATE FUNCTION zerodb._graph_rename_orphans(memory zerodb._graph_memory, ids bigint[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format($q$
        UPDATE %1$I.entities AS e
        SET canonical_name = left(n.name, 512), norm_name = n.norm_name, name_embedding = NULL,
            embedding_model = NULL, summary = NULL
        FROM (SELECT DISTINCT ON (m.entity_id) m.entity_id, m.norm_name, m.name
            FROM %1$I.mentions AS m
            JOIN %1$I.entities AS o ON o.id = m.entity_id AND %3$s
            WHERE m.entity_id = ANY ($3) AND o.origin = 'extracted' AND %4$s
                AND NOT EXISTS (SELECT FROM %1$I.mentions AS s
                    WHERE s.entity_id = o.id AND s.norm_name = o.norm_name AND %5$s)
                AND NOT EXISTS (SELECT FROM %1$I.entities AS l
                    WHERE l.norm_name = m.norm_name AND l.entity_type = o.entity_type AND l.merged_into IS NULL
                        AND %2$s)
            ORDER BY m.entity_id, m.norm_name, m.memory_id) AS n
        WHERE e.id = n.entity_id AND %6$s
        $q$, memory.store, zerodb._graph_scope('l', memory), zerodb._graph_scope('o', memory), zerodb._graph_scope('m', memory),
        zerodb._graph_scope('s', memory), zerodb._graph_scope('e', memory))
    USING memory.user_id, memory.project_id, ids;
END
$$;
