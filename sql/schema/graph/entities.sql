-- auto_graph: writing what a memory says, and taking it back, in one transaction. Three kinds of locks, always taken in
-- this order and each in the order of its key, so that any number of writers wait for each other and none for itself:
-- the memory, the names that may be made, the rows of the entities. Each is waited for at most 10 s (55P03), then the
-- worker tries again.

-- A name by which a memory mentions an entity.
CREATE TYPE zerodb._graph_mention AS (entity_id bigint, norm_name text, name text, source text, score real);

-- Locks keys of one kind in a tenant's graph, see extension/src/lock.rs.
CREATE FUNCTION zerodb._graph_lock(memory zerodb._graph_memory, kind text, keys text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM zerodb._lock_graph(memory.store, memory.user_id, memory.project_id, kind, keys);
END
$$;

-- Locks entities in the order of their ids; returns whether all of the first are there and live.
CREATE FUNCTION zerodb._graph_lock_entities(memory zerodb._graph_memory, wanted bigint[], others bigint[])
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    live bigint;
BEGIN
    EXECUTE format($q$
        SELECT count(*)
        FROM (SELECT e.id, e.merged_into
            FROM %I.entities AS e
            WHERE e.id = ANY ($3 || $4) AND %s
            ORDER BY e.id
            FOR UPDATE) AS l
        WHERE l.merged_into IS NULL AND l.id = ANY ($3)
        $q$, memory.store, zerodb._graph_scope('e', memory))
    INTO live USING memory.user_id, memory.project_id, wanted, others;
    RETURN live = cardinality(wanted);
END
$$;

-- Makes entities of names; returns the entities made. A name that comes twice, once as just `entity`, is made once.
CREATE FUNCTION zerodb._graph_create(memory zerodb._graph_memory, names zerodb._graph_name[], args jsonb,
    vectors real[]) RETURNS zerodb._graph_match[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    dimensions integer := zerodb._graph_dimensions(memory.store);
    embedded boolean := coalesce(vectors IS NOT NULL AND dimensions = (args ->> 'dimensions')::integer, false);
    kind text := (SELECT format_type(a.atttypid, a.atttypmod)
        FROM pg_attribute AS a
        WHERE a.attrelid = format('%I.entities', memory.store)::regclass AND a.attname = 'name_embedding'
            AND NOT a.attisdropped);
    made zerodb._graph_match[];
BEGIN
    EXECUTE format($q$
        -- made: the entities that were new; of a name that comes with a type and without, the one with a type.
        WITH made AS (INSERT INTO %I.entities (canonical_name, norm_name, entity_type, name_embedding,
                embedding_model, origin, needs_review, last_seen, user_id, project_id)
            SELECT DISTINCT ON (i.norm_name, i.entity_type) left(i.name, 512), i.norm_name, i.entity_type, %s,
                CASE WHEN $6 AND i.vector_place IS NOT NULL THEN $7 END, 'extracted', i.needs_review, $4, $1, $2
            FROM unnest($3) AS i
            WHERE i.entity_type <> 'entity'
                OR NOT EXISTS (SELECT FROM unnest($3) AS o
                    WHERE o.norm_name = i.norm_name AND o.entity_type <> 'entity')
            ORDER BY i.norm_name, i.entity_type, i.place
            ON CONFLICT DO NOTHING
            RETURNING id, norm_name, entity_type, canonical_name)
        SELECT array_agg(ROW(i.place, m.id, 'new', m.canonical_name, m.entity_type)::zerodb._graph_match)
        FROM made AS m
        JOIN unnest($3) AS i ON i.norm_name = m.norm_name AND i.entity_type = m.entity_type
        $q$, memory.store, CASE WHEN embedded THEN format('CASE WHEN i.vector_place IS NOT NULL THEN '
            '($5)[i.vector_place * %1$s + 1 : (i.vector_place + 1) * %1$s]::%2$s END', dimensions, kind)
                ELSE 'NULL::' || kind END)
    INTO made USING memory.user_id, memory.project_id, names, memory.said_at, vectors, embedded,
        args ->> 'embedding_model';
    RETURN coalesce(made, '{}');
END
$$;

-- The entity of each name, locked and live: finds them, makes the missing ones unless args.create is false. The
-- entities `held` are locked too. 40001 where others keep taking them away, which is for the worker to try again.
CREATE FUNCTION zerodb._graph_settle_entities(memory zerodb._graph_memory, names zerodb._graph_name[], held bigint[],
    args jsonb, vectors real[])
RETURNS zerodb._graph_match[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    matches zerodb._graph_match[];
BEGIN
    PERFORM zerodb._graph_lock(memory, 'name', ARRAY(SELECT n.norm_name FROM unnest(names) AS n
        UNION SELECT a FROM unnest(names) AS n, unnest(n.norm_aliases) AS a));
    FOR attempt IN 1 .. 5 LOOP
        matches := CASE WHEN names = '{}' THEN '{}' ELSE zerodb._graph_resolve(memory, names, held <> '{}') END;
        IF cardinality(matches) < cardinality(names) AND coalesce((args ->> 'create')::boolean, true) THEN
            matches := matches
                || zerodb._graph_create(memory,
                    ARRAY(SELECT n
                        FROM unnest(names) AS n
                        WHERE NOT EXISTS (SELECT FROM unnest(matches) AS m WHERE m.place = n.place)), args, vectors);
            IF cardinality(matches) < cardinality(names) THEN
                matches := zerodb._graph_resolve(memory, names, held <> '{}');
            END IF;
        END IF;
        IF zerodb._graph_lock_entities(memory, ARRAY(SELECT DISTINCT m.id FROM unnest(matches) AS m), held) THEN
            RETURN matches;
        END IF;
    END LOOP;
    RAISE EXCEPTION 'the entities of a memory change all the time' USING ERRCODE = '40001';
END
$$;

-- An entity that was just `entity` takes the particular type that a memory gives it.
CREATE FUNCTION zerodb._graph_promote(memory zerodb._graph_memory, names zerodb._graph_name[],
    matches zerodb._graph_match[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    promoted zerodb._graph_match[] := ARRAY(SELECT DISTINCT ON (m.id) ROW(m.place, m.id, m.tier, m.name,
            n.entity_type)::zerodb._graph_match
        FROM unnest(matches) AS m
        JOIN unnest(names) AS n ON n.place = m.place
        WHERE m.entity_type = 'entity' AND n.entity_type <> 'entity'
        ORDER BY m.id, n.place);
BEGIN
    IF promoted <> '{}' THEN
        EXECUTE format($q$
            UPDATE %1$I.entities AS e
            SET entity_type = p.entity_type
            FROM unnest($3) AS p
            WHERE e.id = p.id AND %3$s
                AND NOT EXISTS (SELECT FROM %1$I.entities AS o
                    WHERE o.norm_name = e.norm_name AND o.entity_type = p.entity_type AND o.merged_into IS NULL
                        AND %2$s)
            $q$,
            memory.store, zerodb._graph_scope('o', memory), zerodb._graph_scope('e', memory))
        USING memory.user_id, memory.project_id, promoted;
    END IF;
END
$$;
