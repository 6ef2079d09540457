-- auto_graph: finding the entities that the names of a memory mean.

CREATE FUNCTION zerodb._graph_names(entities jsonb) RETURNS zerodb._graph_name[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN coalesce((SELECT array_agg(ROW(u.n - 1, u.e ->> 'name', zerodb._norm_name(u.e ->> 'name'),
            coalesce(u.e ->> 'type', 'entity'), u.e ->> 'id', coalesce(u.e ->> 'source', 'extracted'),
            u.e ->> 'score', a.aliases, a.norm_aliases, u.e ->> 'vector',
                coalesce(u.e ->> 'needs_review', 'false'))::zerodb._graph_name
            ORDER BY u.n)
        FROM jsonb_array_elements(entities) WITH ORDINALITY AS u (e, n)
        CROSS JOIN LATERAL (SELECT coalesce(array_agg(x.alias), '{}') AS aliases,
                coalesce(array_agg(zerodb._norm_name(x.alias)), '{}') AS norm_aliases
            FROM jsonb_array_elements_text(coalesce(u.e -> 'aliases', '[]')) AS x (alias)) AS a), '{}');
END
$$;

-- The entity of each name, where there is one: the one that this memory named so before, the live one of that name, the
-- only one that has the name as an alias, the one that the worker found, or the only one of the same particular type
-- that an alias of this memory names. Types fit when they are the same or one is just `entity`. `again`: this memory
-- may have been written before.
CREATE FUNCTION zerodb._graph_resolve(memory zerodb._graph_memory, names zerodb._graph_name[], again boolean)
RETURNS zerodb._graph_match[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fits text := '(e.entity_type = i.entity_type OR e.entity_type = ''entity'' OR i.entity_type = ''entity'')';
    arms text;
    best text := 'ORDER BY (e.entity_type = i.entity_type) DESC, e.mention_count DESC, e.id LIMIT 1';
    matches zerodb._graph_match[];
BEGIN
    -- Only the arms that can find something: planning costs more than running.
    arms := $q$
            (SELECT e.id, 'exact' AS tier, 1 AS rank
                FROM %1$I.entities AS e
                WHERE e.norm_name = i.norm_name AND e.merged_into IS NULL AND %2$s AND %4$s
                %5$s)
            UNION ALL
            (SELECT min(e.id), 'alias', 2
                FROM %1$I.entity_aliases AS a
                JOIN %1$I.entities AS e ON e.id = a.entity_id AND e.merged_into IS NULL
                WHERE a.norm_alias = i.norm_name AND %3$s AND %2$s AND %4$s
                HAVING count(DISTINCT e.id) = 1)
        $q$;
    IF again THEN
        arms := arms || $q$
            UNION ALL
            (SELECT e.id, 'again', 0
                FROM %1$I.mentions AS n
                JOIN %1$I.entities AS e ON e.id = n.entity_id AND e.merged_into IS NULL
                WHERE n.memory_id = $4 AND n.memory_table = $5 AND n.norm_name = i.norm_name
                    AND %6$s AND %2$s AND %4$s
                %5$s)
            $q$;
    END IF;
    IF EXISTS (SELECT FROM unnest(names) AS n WHERE n.given IS NOT NULL) THEN
        arms := arms || $q$
            UNION ALL
            (SELECT e.id, 'given', 3
                FROM %1$I.entities AS g
                JOIN %1$I.entities AS e ON e.id = coalesce(g.merged_into, g.id)
                WHERE g.id = i.given AND %7$s AND %2$s)
            $q$;
    END IF;
    IF EXISTS (SELECT FROM unnest(names) AS n WHERE n.norm_aliases <> '{}') THEN
        arms := arms || $q$
            UNION ALL
            (SELECT min(e.id), 'alias', 4
                FROM %1$I.entities AS e
                WHERE e.norm_name = ANY (i.norm_aliases) AND e.merged_into IS NULL AND e.entity_type = i.entity_type
                    AND i.entity_type <> 'entity' AND %2$s
                HAVING count(*) = 1)
            $q$;
    END IF;
    EXECUTE format($q$
        SELECT array_agg(ROW(i.place, f.id, m.tier, f.canonical_name, f.entity_type)::zerodb._graph_match
            ORDER BY i.place)
        FROM unnest($3) AS i
        CROSS JOIN LATERAL ($q$ || arms || $q$
            ORDER BY rank LIMIT 1) AS m
        JOIN %1$I.entities AS f ON f.id = m.id
        $q$, memory.store, zerodb._graph_scope('e', memory), zerodb._graph_scope('a', memory), fits, best,
        zerodb._graph_scope('n', memory), zerodb._graph_scope('g', memory))
    INTO matches USING memory.user_id, memory.project_id, names, memory.id, memory.memory_table;
    RETURN coalesce(matches, '{}');
END
$$;

-- As the trigger of a store's entities sorts the words of a name.
CREATE FUNCTION zerodb._sorted_name(norm_name text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(string_agg(w, ' ' ORDER BY w COLLATE "C"), '')
    FROM string_to_table(translate(norm_name, '!"#$%&''()*+,-./:;<=>?@[]^_`{|}~' || chr(92), repeat(' ', 32)), ' ')
        AS w
    WHERE w <> ''
$$;

-- Live entities that have the name of `i` as an alias, or names spelled almost like it, as a query: three walks along
-- indexes, eight steps up and down each, in the order of names, of names read backwards, and of their sorted words. The
-- tenant's columns stand in the order too, because the planner does not know that `IS NULL` makes one constant.
CREATE FUNCTION zerodb._graph_near(memory zerodb._graph_memory) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($q$
        (SELECT e.id, e.canonical_name, e.norm_name, e.entity_type, true AS by_alias
            FROM %1$I.entity_aliases AS a
            JOIN %1$I.entities AS e ON e.id = a.entity_id AND e.merged_into IS NULL
            WHERE a.norm_alias = i.norm_name AND %2$s AND %3$s
            ORDER BY e.id LIMIT 8)
        $q$, memory.store, zerodb._graph_scope('a', memory), zerodb._graph_scope('e', memory))
        || string_agg(format($q$
        UNION
        (SELECT e.id, e.canonical_name, e.norm_name, e.entity_type, false
            FROM %1$I.entities AS e
            WHERE e.merged_into IS NULL AND %2$s AND %3$s %4$s %5$s
            ORDER BY e.user_id %6$s, e.project_id %6$s, %3$s %6$s LIMIT 8)
        $q$, memory.store, zerodb._graph_scope('e', memory), o.expression, d.operator, o.wanted, d.direction), '')
    FROM (VALUES ('e.norm_name', 'i.norm_name'), ('reverse(e.norm_name)', 'reverse(i.norm_name)'),
        ('e.sorted_name', 'zerodb._sorted_name(i.norm_name)')) AS o (expression, wanted)
    CROSS JOIN (VALUES ('>=', 'ASC'), ('<', 'DESC')) AS d (operator, direction)
$$;

-- Dimensions of the embeddings of names; null where they cannot be searched.
CREATE FUNCTION zerodb._graph_dimensions(store name) RETURNS integer
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT nullif(a.atttypmod, -1)
        FROM pg_attribute AS a
        JOIN pg_type AS t ON t.oid = a.atttypid
        WHERE a.attrelid = to_regclass(format('%I.entities', store)) AND a.attname = 'name_embedding'
            AND t.typname = 'vector' AND NOT a.attisdropped);
END
$$;
