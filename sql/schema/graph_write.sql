-- auto_graph: writing what a memory says, and taking it back, in one transaction. Three kinds of locks, always taken in this
-- order and each in the order of its key, so that any number of writers wait for each other and none for itself: the
-- memory, the names that may be made, the rows of the entities. Each is waited for at most 10 s (55P03), then the worker tries again.

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
CREATE FUNCTION zerodb._graph_lock_entities(memory zerodb._graph_memory, wanted bigint[], others bigint[]) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    live bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM (SELECT e.id, e.merged_into FROM %I.entities AS e WHERE e.id = ANY ($3 || $4) AND %s ORDER BY e.id FOR UPDATE) AS l '
        'WHERE l.merged_into IS NULL AND l.id = ANY ($3)', memory.store, zerodb._graph_scope('e', memory))
    INTO live USING memory.user_id, memory.project_id, wanted, others;
    RETURN live = cardinality(wanted);
END
$$;

-- Makes entities of names; returns the entities made. A name that comes twice, once as just `entity`, is made once.
CREATE FUNCTION zerodb._graph_create(memory zerodb._graph_memory, names zerodb._graph_name[], args jsonb, vectors real[]) RETURNS zerodb._graph_match[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    dimensions integer := zerodb._graph_dimensions(memory.store);
    embedded boolean := coalesce(vectors IS NOT NULL AND dimensions = (args ->> 'dimensions')::integer, false);
    kind text := (SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute AS a
        WHERE a.attrelid = format('%I.entities', memory.store)::regclass AND a.attname = 'name_embedding' AND NOT a.attisdropped);
    made zerodb._graph_match[];
BEGIN
    EXECUTE format($q$
        WITH made AS (
            INSERT INTO %I.entities (canonical_name, norm_name, entity_type, name_embedding, embedding_model, origin, needs_review, last_seen, user_id, project_id)
            SELECT DISTINCT ON (i.norm_name, i.entity_type) left(i.name, 512), i.norm_name, i.entity_type, %s,
                CASE WHEN $6 AND i.vector_place IS NOT NULL THEN $7 END, 'extracted', i.needs_review, $4, $1, $2
            FROM unnest($3) AS i
            WHERE i.entity_type <> 'entity' OR NOT EXISTS (SELECT FROM unnest($3) AS o WHERE o.norm_name = i.norm_name AND o.entity_type <> 'entity')
            ORDER BY i.norm_name, i.entity_type, i.place
            ON CONFLICT DO NOTHING RETURNING id, norm_name, entity_type, canonical_name)
        SELECT array_agg(ROW(i.place, m.id, 'new', m.canonical_name, m.entity_type)::zerodb._graph_match)
        FROM made AS m JOIN unnest($3) AS i ON i.norm_name = m.norm_name AND i.entity_type = m.entity_type
        $q$, memory.store, CASE WHEN embedded THEN format('CASE WHEN i.vector_place IS NOT NULL THEN '
            '($5)[i.vector_place * %1$s + 1 : (i.vector_place + 1) * %1$s]::%2$s END', dimensions, kind) ELSE 'NULL::' || kind END)
    INTO made USING memory.user_id, memory.project_id, names, memory.said_at, vectors, embedded, args ->> 'embedding_model';
    RETURN coalesce(made, '{}');
END
$$;

-- The entity of each name, locked and live: finds them, makes the missing ones unless args.create is false. The entities
-- `held` are locked too. 40001 where others keep taking them away, which is for the worker to try again.
CREATE FUNCTION zerodb._graph_settle_entities(memory zerodb._graph_memory, names zerodb._graph_name[], held bigint[], args jsonb, vectors real[])
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
            matches := matches || zerodb._graph_create(memory,
                ARRAY(SELECT n FROM unnest(names) AS n WHERE NOT EXISTS (SELECT FROM unnest(matches) AS m WHERE m.place = n.place)), args, vectors);
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

-- How a memory mentions entities now.
CREATE FUNCTION zerodb._graph_mentioned(memory zerodb._graph_memory) RETURNS zerodb._graph_mention[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    mentioned zerodb._graph_mention[];
BEGIN
    EXECUTE format('SELECT array_agg(ROW(m.entity_id, m.norm_name, m.name, NULL, NULL)::zerodb._graph_mention) FROM %I.mentions AS m '
        'WHERE m.memory_id = $3 AND m.memory_table = $4 AND %s', memory.store, zerodb._graph_scope('m', memory))
    INTO mentioned USING memory.user_id, memory.project_id, memory.id, memory.memory_table;
    RETURN coalesce(mentioned, '{}');
END
$$;

-- Each name and alias with its entity, once.
CREATE FUNCTION zerodb._graph_mentions(names zerodb._graph_name[], matches zerodb._graph_match[]) RETURNS zerodb._graph_mention[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN ARRAY(SELECT DISTINCT ON (u.id, u.norm_name) ROW(u.id, u.norm_name, u.name, u.source, u.score)::zerodb._graph_mention
        FROM (SELECT m.id, n.norm_name, n.name, n.source, coalesce(n.score, 1) AS score, 0 AS rank FROM unnest(names) AS n JOIN unnest(matches) AS m ON m.place = n.place
            UNION ALL
            SELECT m.id, a.norm_alias, a.alias, 'extracted', 1, 1 FROM unnest(names) AS n JOIN unnest(matches) AS m ON m.place = n.place
            CROSS JOIN LATERAL unnest(n.norm_aliases, n.aliases) AS a (norm_alias, alias)) AS u
        WHERE u.norm_name <> '' ORDER BY u.id, u.norm_name, u.rank, u.name);
END
$$;

-- Makes the mentions of a memory `wanted` instead of `had`, and what follows from them: aliases and counts.
CREATE FUNCTION zerodb._graph_write_mentions(memory zerodb._graph_memory, had zerodb._graph_mention[], wanted zerodb._graph_mention[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    gone zerodb._graph_mention[] := ARRAY(SELECT h FROM unnest(had) AS h
        WHERE NOT EXISTS (SELECT FROM unnest(wanted) AS w WHERE w.entity_id = h.entity_id AND w.norm_name = h.norm_name));
    added zerodb._graph_mention[] := ARRAY(SELECT w FROM unnest(wanted) AS w
        WHERE NOT EXISTS (SELECT FROM unnest(had) AS h WHERE w.entity_id = h.entity_id AND w.norm_name = h.norm_name));
    gained bigint[] := ARRAY(SELECT w.entity_id FROM unnest(wanted) AS w EXCEPT SELECT h.entity_id FROM unnest(had) AS h);
    lost bigint[] := ARRAY(SELECT h.entity_id FROM unnest(had) AS h EXCEPT SELECT w.entity_id FROM unnest(wanted) AS w);
BEGIN
    IF gone <> '{}' THEN
        EXECUTE format('DELETE FROM %I.mentions AS m USING unnest($5) AS g WHERE m.memory_id = $3 AND m.memory_table = $4 '
            'AND m.entity_id = g.entity_id AND m.norm_name = g.norm_name AND %s', memory.store, zerodb._graph_scope('m', memory))
        USING memory.user_id, memory.project_id, memory.id, memory.memory_table, gone;
    END IF;
    IF added <> '{}' THEN
        EXECUTE format('WITH mention AS (INSERT INTO %1$I.mentions (memory_table, memory_id, entity_id, norm_name, name, user_id, project_id) '
            'SELECT $4, $3, a.entity_id, a.norm_name, a.name, $1, $2 FROM unnest($5) AS a) '
            'INSERT INTO %1$I.entity_aliases (entity_id, norm_alias, alias, source, confidence, user_id, project_id) '
            'SELECT a.entity_id, a.norm_name, a.name, a.source, a.score, $1, $2 FROM unnest($5) AS a '
            'JOIN %1$I.entities AS e ON e.id = a.entity_id AND e.norm_name <> a.norm_name AND %2$s ON CONFLICT DO NOTHING',
            memory.store, zerodb._graph_scope('e', memory))
        USING memory.user_id, memory.project_id, memory.id, memory.memory_table, added;
    END IF;
    IF gained <> '{}' OR lost <> '{}' THEN
        EXECUTE format('UPDATE %I.entities AS e SET mention_count = greatest(e.mention_count + CASE WHEN e.id = ANY ($3) THEN 1 ELSE -1 END, 0), '
            'last_seen = CASE WHEN e.id = ANY ($3) THEN greatest(e.last_seen, $5) ELSE e.last_seen END WHERE e.id = ANY ($3 || $4) AND %s',
            memory.store, zerodb._graph_scope('e', memory))
        USING memory.user_id, memory.project_id, gained, lost, memory.said_at;
    END IF;
END
$$;

-- An entity that was just `entity` takes the particular type that a memory gives it.
CREATE FUNCTION zerodb._graph_promote(memory zerodb._graph_memory, names zerodb._graph_name[], matches zerodb._graph_match[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    promoted zerodb._graph_match[] := ARRAY(SELECT DISTINCT ON (m.id) ROW(m.place, m.id, m.tier, m.name, n.entity_type)::zerodb._graph_match
        FROM unnest(matches) AS m JOIN unnest(names) AS n ON n.place = m.place
        WHERE m.entity_type = 'entity' AND n.entity_type <> 'entity' ORDER BY m.id, n.place);
BEGIN
    IF promoted <> '{}' THEN
        EXECUTE format('UPDATE %1$I.entities AS e SET entity_type = p.entity_type FROM unnest($3) AS p WHERE e.id = p.id AND %3$s AND NOT EXISTS '
            '(SELECT FROM %1$I.entities AS o WHERE o.norm_name = e.norm_name AND o.entity_type = p.entity_type AND o.merged_into IS NULL AND %2$s)',
            memory.store, zerodb._graph_scope('o', memory), zerodb._graph_scope('e', memory))
        USING memory.user_id, memory.project_id, promoted;
    END IF;
END
$$;

-- After a memory left entities: their aliases that no memory uses any more go, then entities without mention and without
-- relation. An entity whose name came from that memory alone takes a name that others use. What was made by hand stays.
CREATE FUNCTION zerodb._graph_drop_orphans(memory zerodb._graph_memory, ids bigint[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_alias text := zerodb._graph_scope('a', memory);
    of_entity text := zerodb._graph_scope('e', memory);
    of_mention text := zerodb._graph_scope('m', memory);
BEGIN
    EXECUTE format('DELETE FROM %1$I.entity_aliases AS a WHERE a.entity_id = ANY ($3) AND a.source <> ''manual'' AND %2$s AND NOT EXISTS '
        '(SELECT FROM %1$I.mentions AS m WHERE m.entity_id = a.entity_id AND m.norm_name = a.norm_alias AND %3$s)', memory.store, of_alias, of_mention)
    USING memory.user_id, memory.project_id, ids;
    EXECUTE format('DELETE FROM %1$I.entities AS e WHERE e.id = ANY ($3) AND e.origin = ''extracted'' AND %2$s '
        'AND NOT EXISTS (SELECT FROM %1$I.mentions AS m WHERE m.entity_id = e.id AND %3$s) '
        'AND NOT EXISTS (SELECT FROM %1$I.relations AS r WHERE r.source_id = e.id AND %4$s) '
        'AND NOT EXISTS (SELECT FROM %1$I.relations AS r WHERE r.target_id = e.id AND %4$s)',
        memory.store, of_entity, of_mention, zerodb._graph_scope('r', memory))
    USING memory.user_id, memory.project_id, ids;
    -- Merged into one of these, by a name that nobody uses.
    EXECUTE format('DELETE FROM %1$I.entities AS e WHERE e.merged_into = ANY ($3) AND e.origin = ''extracted'' AND %2$s AND NOT EXISTS '
        '(SELECT FROM %1$I.mentions AS m WHERE m.entity_id = e.merged_into AND m.norm_name = e.norm_name AND %3$s)', memory.store, of_entity, of_mention)
    USING memory.user_id, memory.project_id, ids;
    PERFORM zerodb._graph_rename_orphans(memory, ids);
    EXECUTE format('DELETE FROM %1$I.entity_aliases AS a USING %1$I.entities AS e WHERE e.id = a.entity_id AND e.id = ANY ($3) AND a.norm_alias = e.norm_name '
        'AND %2$s AND %3$s', memory.store, of_alias, of_entity)
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
        UPDATE %1$I.entities AS e SET canonical_name = left(n.name, 512), norm_name = n.norm_name, name_embedding = NULL, embedding_model = NULL, summary = NULL
        FROM (SELECT DISTINCT ON (m.entity_id) m.entity_id, m.norm_name, m.name FROM %1$I.mentions AS m JOIN %1$I.entities AS o ON o.id = m.entity_id AND %3$s
            WHERE m.entity_id = ANY ($3) AND o.origin = 'extracted' AND %4$s
                AND NOT EXISTS (SELECT FROM %1$I.mentions AS s WHERE s.entity_id = o.id AND s.norm_name = o.norm_name AND %5$s)
                AND NOT EXISTS (SELECT FROM %1$I.entities AS l WHERE l.norm_name = m.norm_name AND l.entity_type = o.entity_type AND l.merged_into IS NULL AND %2$s)
            ORDER BY m.entity_id, m.norm_name, m.memory_id) AS n
        WHERE e.id = n.entity_id AND %6$s
        $q$, memory.store, zerodb._graph_scope('l', memory), zerodb._graph_scope('o', memory), zerodb._graph_scope('m', memory),
        zerodb._graph_scope('s', memory), zerodb._graph_scope('e', memory))
    USING memory.user_id, memory.project_id, ids;
END
$$;

-- Makes the graph say of a memory what args say, and nothing else. Returns {entities, relations}: the id of each entity (null
-- where it was not to be made), and how many relations.
CREATE FUNCTION zerodb._graph_replace(memory zerodb._graph_memory, args jsonb, vectors real[]) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    names zerodb._graph_name[] := zerodb._graph_names(coalesce(args -> 'entities', '[]'));
    had zerodb._graph_mention[] := zerodb._graph_mentioned(memory);
    wanted zerodb._graph_mention[];
    matches zerodb._graph_match[];
    ids bigint[];
    kept bigint[];
BEGIN
    matches := zerodb._graph_settle_entities(memory, names, ARRAY(SELECT DISTINCT h.entity_id FROM unnest(had) AS h), args, vectors);
    wanted := zerodb._graph_mentions(names, matches);
    PERFORM zerodb._graph_promote(memory, names, matches);
    PERFORM zerodb._graph_write_mentions(memory, had, wanted);
    ids := ARRAY(SELECT m.id FROM unnest(names) AS n LEFT JOIN unnest(matches) AS m ON m.place = n.place ORDER BY n.place);
    kept := zerodb._graph_write_relations(memory, coalesce(args -> 'relations', '[]'), ids);
    IF EXISTS (SELECT FROM unnest(had) AS h WHERE NOT EXISTS (SELECT FROM unnest(wanted) AS w WHERE w.entity_id = h.entity_id AND w.norm_name = h.norm_name)) THEN
        PERFORM zerodb._graph_drop_orphans(memory, ARRAY(SELECT DISTINCT h.entity_id FROM unnest(had) AS h));
    END IF;
    RETURN jsonb_build_object('entities', to_jsonb(ids), 'relations', cardinality(kept));
END
$$;

-- Writes what was extracted: args also {content_hash, prompt_version, model, entities: [{name, type, aliases, id, source, score,
-- vector, needs_review}], relations: [{s, p, o, fact, quote, confidence, valid_at, invalid_at}], create, embedding_model, dimensions,
-- prompt_tokens, completion_tokens}. Where the memory no longer says what was read, nothing is done: {stale: true}.
CREATE FUNCTION zerodb._do_graph_write(plan jsonb, relid oid, args jsonb, vectors real[]) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '10s'
AS $$
DECLARE
    memory zerodb._graph_memory := zerodb._graph_place(relid, args || plan);
    written jsonb;
BEGIN
    PERFORM set_config('zerodb.user_id', coalesce(memory.user_id::text, ''), true);
    PERFORM zerodb._graph_lock(memory, 'memory', ARRAY[concat_ws(E'\n', memory.memory_table, memory.id)]);
    memory := zerodb._graph_load(relid, memory);
    IF encode(memory.content_hash, 'hex') IS DISTINCT FROM args ->> 'content_hash' THEN
        RETURN jsonb_build_object('stale', true);
    END IF;
    written := zerodb._graph_replace(memory, args, vectors);
    EXECUTE format('INSERT INTO %I.extractions AS x (memory_table, memory_id, content_hash, prompt_version, model, entities, relations, prompt_tokens, completion_tokens, user_id, project_id) '
        'VALUES ($4, $3, $5, $6, $7, $8, $9, $10, $11, $1, $2) ON CONFLICT ON CONSTRAINT extractions_pkey DO UPDATE SET content_hash = excluded.content_hash, '
        'prompt_version = excluded.prompt_version, model = excluded.model, entities = excluded.entities, relations = excluded.relations, '
        'prompt_tokens = excluded.prompt_tokens, completion_tokens = excluded.completion_tokens WHERE %s', memory.store, zerodb._graph_scope('x', memory))
    USING memory.user_id, memory.project_id, memory.id, memory.memory_table, memory.content_hash, (args ->> 'prompt_version')::integer, args ->> 'model',
        jsonb_array_length(written -> 'entities'), (written ->> 'relations')::integer, (args ->> 'prompt_tokens')::integer, (args ->> 'completion_tokens')::integer;
    RETURN written || '{"stale": false}';
END
$$;

-- Takes back what a memory said. Where the memory is there (again), nothing is done: {exists: true}; what it says now has an
-- event of its own.
CREATE FUNCTION zerodb._do_graph_retract(plan jsonb, relid oid, args jsonb, vectors real[]) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '10s'
AS $$
DECLARE
    memory zerodb._graph_memory := zerodb._graph_place(relid, args || plan);
BEGIN
    PERFORM set_config('zerodb.user_id', coalesce(memory.user_id::text, ''), true);
    PERFORM zerodb._graph_lock(memory, 'memory', ARRAY[concat_ws(E'\n', memory.memory_table, memory.id)]);
    memory := zerodb._graph_load(relid, memory);
    IF memory.content_hash IS NOT NULL THEN
        RETURN jsonb_build_object('exists', true);
    END IF;
    PERFORM zerodb._graph_replace(memory, '{}', NULL);
    EXECUTE format('DELETE FROM %I.extractions AS x WHERE x.memory_id = $3 AND x.memory_table = $4 AND %s', memory.store, zerodb._graph_scope('x', memory))
    USING memory.user_id, memory.project_id, memory.id, memory.memory_table;
    RETURN jsonb_build_object('exists', false);
END
$$;
