-- auto_graph: the actions that write what a memory says, and take it back.

-- Makes the graph say of a memory what args say, and nothing else. Returns {entities, relations}: the id of each entity
-- (null where it was not to be made), and how many relations.
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
    matches := zerodb._graph_settle_entities(memory, names, ARRAY(SELECT DISTINCT h.entity_id FROM unnest(had) AS h),
        args, vectors);
    wanted := zerodb._graph_mentions(names, matches);
    PERFORM zerodb._graph_promote(memory, names, matches);
    PERFORM zerodb._graph_write_mentions(memory, had, wanted);
    ids := ARRAY(SELECT m.id
        FROM unnest(names) AS n
        LEFT JOIN unnest(matches) AS m ON m.place = n.place
        ORDER BY n.place);
    kept := zerodb._graph_write_relations(memory, coalesce(args -> 'relations', '[]'), ids);
    IF EXISTS (SELECT FROM unnest(had) AS h
        WHERE NOT EXISTS (SELECT FROM unnest(wanted) AS w
            WHERE w.entity_id = h.entity_id AND w.norm_name = h.norm_name)) THEN
        PERFORM zerodb._graph_drop_orphans(memory, ARRAY(SELECT DISTINCT h.entity_id FROM unnest(had) AS h));
    END IF;
    RETURN jsonb_build_object('entities', to_jsonb(ids), 'relations', cardinality(kept));
END
$$;

-- Writes what was extracted: args also {content_hash, prompt_version, model, entities: [{name, type, aliases, id,
-- source, score, vector, needs_review}], relations: [{s, p, o, fact, quote, confidence, valid_at, invalid_at}], create,
-- embedding_model, dimensions, prompt_tokens, completion_tokens}. Where the memory no longer says what was read,
-- nothing is done: {stale: true}.
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
    EXECUTE format($q$
        INSERT INTO %I.extractions AS x (memory_table, memory_id, content_hash, prompt_version, model, entities,
            relations, prompt_tokens, completion_tokens, user_id, project_id)
        VALUES ($4, $3, $5, $6, $7, $8, $9, $10, $11, $1, $2)
        ON CONFLICT ON CONSTRAINT extractions_pkey DO UPDATE
        SET content_hash = excluded.content_hash, prompt_version = excluded.prompt_version, model = excluded.model,
            entities = excluded.entities, relations = excluded.relations, prompt_tokens = excluded.prompt_tokens,
            completion_tokens = excluded.completion_tokens
        WHERE %s
        $q$, memory.store, zerodb._graph_scope('x', memory))
    USING memory.user_id, memory.project_id, memory.id, memory.memory_table, memory.content_hash,
          (args ->> 'prompt_version')::integer, args ->> 'model',
        jsonb_array_length(written -> 'entities'), (written ->> 'relations')::integer,
            (args ->> 'prompt_tokens')::integer, (args ->> 'completion_tokens')::integer;
    RETURN written || '{"stale": false}';
END
$$;

-- Takes back what a memory said. Where the memory is there (again), nothing is done: {exists: true}; what it says now
-- has an event of its own.
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
    EXECUTE format($q$
        DELETE FROM %I.extractions AS x WHERE x.memory_id = $3 AND x.memory_table = $4 AND %s
        $q$, memory.store, zerodb._graph_scope('x', memory))
    USING memory.user_id, memory.project_id, memory.id, memory.memory_table;
    RETURN jsonb_build_object('exists', false);
END
$$;
