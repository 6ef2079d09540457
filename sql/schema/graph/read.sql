-- auto_graph: the actions that only read.

-- Reads a memory before it is extracted: {found, content, size, content_hash, said_at, subject, extraction,
-- dimensions}, where extraction is what the ledger says, and dimensions those of names' embeddings where pgvector can
-- search them.
CREATE FUNCTION zerodb._do_graph_read(plan jsonb, relid oid, args jsonb, vectors real[]) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    memory zerodb._graph_memory := zerodb._graph_place(relid, args || plan);
    extraction jsonb;
BEGIN
    PERFORM set_config('zerodb.user_id', coalesce(memory.user_id::text, ''), true);
    memory := zerodb._graph_load(relid, memory);
    IF memory.content_hash IS NULL THEN
        RETURN jsonb_build_object('found', false);
    END IF;
    EXECUTE format($q$
        SELECT jsonb_build_object('content_hash', encode(x.content_hash, 'hex'), 'prompt_version', x.prompt_version,
            'model', x.model)
        FROM %I.extractions AS x
        WHERE x.memory_id = $3 AND x.memory_table = $4 AND %s
        $q$, memory.store, zerodb._graph_scope('x', memory))
    INTO extraction USING memory.user_id, memory.project_id, memory.id, memory.memory_table;
    RETURN jsonb_build_object('found', true, 'content', memory.content, 'size', memory.size,
        'content_hash', encode(memory.content_hash, 'hex'), 'said_at', memory.said_at, 'subject', memory.subject,
        'extraction', extraction, 'dimensions', zerodb._graph_dimensions(memory.store));
END
$$;

-- What each of args.entities [{name, type, aliases, vector}] may be: [{place, norm_name, match: {id, tier, name, type},
-- candidates: [{id, name, norm_name, type, by_alias, cosine}]}]. Without a match the candidates are those spelled
-- almost alike and, where a vector is given (its place among `vectors`, args.dimensions each, made by
-- args.embedding_model), the 15 nearest by it.
CREATE FUNCTION zerodb._do_graph_candidates(plan jsonb, relid oid, args jsonb, vectors real[]) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    memory zerodb._graph_memory := zerodb._graph_place(relid, args || plan);
    names zerodb._graph_name[] := zerodb._graph_names(coalesce(args -> 'entities', '[]'));
    matches zerodb._graph_match[];
    place name := (SELECT n.nspname
        FROM pg_extension AS x
        JOIN pg_namespace AS n ON n.oid = x.extnamespace
        WHERE x.extname = 'vector');
    near text;
    found_near jsonb;
BEGIN
    PERFORM set_config('zerodb.user_id', coalesce(memory.user_id::text, ''), true);
    matches := zerodb._graph_resolve(memory, names, true);
    IF cardinality(matches) < cardinality(names) THEN
        near := format($q$
            SELECT q.id, q.canonical_name, q.norm_name, q.entity_type, q.by_alias, NULL::double precision AS cosine
            FROM (%s) AS q
            $q$, zerodb._graph_near(memory));
        IF zerodb._graph_dimensions(memory.store) = (args ->> 'dimensions')::integer THEN
            near := near || format($q$
                UNION ALL
                (SELECT e.id, e.canonical_name, e.norm_name, e.entity_type, false,
                        1 - (e.name_embedding OPERATOR(%1$I.<=>) v.vector)
                    FROM (SELECT ($4)[i.vector_place * $5 + 1 : (i.vector_place + 1) * $5]::%1$I.vector AS vector
                        WHERE i.vector_place IS NOT NULL) AS v
                    CROSS JOIN LATERAL (SELECT * FROM %2$I.entities AS e
                        WHERE e.merged_into IS NULL AND e.embedding_model = $6 AND %3$s
                        ORDER BY e.name_embedding OPERATOR(%1$I.<=>) v.vector LIMIT 15) AS e)
                $q$, place, memory.store, zerodb._graph_scope('e', memory));
        END IF;
        EXECUTE format($q$
            SELECT jsonb_object_agg(i.place, c.candidates)
            FROM unnest($3) AS i
            CROSS JOIN LATERAL (SELECT coalesce(jsonb_agg(jsonb_build_object('id', q.id, 'name', q.canonical_name,
                    'norm_name', q.norm_name, 'type', q.entity_type, 'by_alias', q.by_alias, 'cosine', q.cosine)
                    ORDER BY q.cosine DESC NULLS LAST, q.norm_name, q.id), '[]') AS candidates
                FROM (SELECT a.id, a.canonical_name, a.norm_name, a.entity_type, bool_or(a.by_alias) AS by_alias,
                        max(a.cosine) AS cosine
                    FROM (%s) AS a
                    GROUP BY 1, 2, 3, 4) AS q) AS c
            $q$, near)
        INTO found_near USING memory.user_id, memory.project_id,
            ARRAY(SELECT n FROM unnest(names) AS n
                WHERE NOT EXISTS (SELECT FROM unnest(matches) AS m WHERE m.place = n.place)),
            vectors, (args ->> 'dimensions')::integer, args ->> 'embedding_model';
    END IF;
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('place', n.place, 'norm_name', n.norm_name,
            'candidates', coalesce(found_near -> n.place::text, '[]'),
            'match',
                CASE WHEN m.id IS NOT NULL THEN jsonb_build_object('id', m.id, 'tier', m.tier, 'name', m.name,
                    'type', m.entity_type) END) ORDER BY n.place), '[]')
        FROM unnest(names) AS n
        LEFT JOIN unnest(matches) AS m ON m.place = n.place);
END
$$;
