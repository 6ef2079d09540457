-- auto_graph: reading a memory, and finding the entities that its names mean. The functions _do_graph_… run as a role that may
-- use the store (see _as_owner). Every one takes the memory's table and args {memory_id, user_id, project_id}; rows of
-- another tenant are never read or written, even where the role passes row-level security. What needs no table of the
-- store is static SQL over arrays of the types below, whose plans are kept.

-- Where a memory lies, whose it is, and what it says; content_hash is null where there is no such memory.
CREATE TYPE zerodb._graph_memory AS (store name, memory_table text, id text, user_id uuid, project_id uuid, subject text, said_at timestamptz,
    size integer, content text, content_hash bytea);
-- A name in a memory: `place` is its index in the list, `given` the entity that the worker takes it for.
CREATE TYPE zerodb._graph_name AS (place integer, name text, norm_name text, entity_type text, given bigint, source text, score real,
    aliases text[], norm_aliases text[], vector_place integer, needs_review boolean);
-- The entity of a name, and how it was found.
CREATE TYPE zerodb._graph_match AS (place integer, id bigint, tier text, name text, entity_type text);

-- The conditions on a row of one tenant: $1 is the user, $2 the project, null for none. Written out, because an index serves
-- neither IS NOT DISTINCT FROM nor a parameter that may be null.
CREATE FUNCTION zerodb._graph_scope(alias text, memory zerodb._graph_memory) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN format('%1$s.user_id %2$s AND %1$s.project_id %3$s', alias, CASE WHEN memory.user_id IS NULL THEN 'IS NULL' ELSE '= $1' END,
        CASE WHEN memory.project_id IS NULL THEN 'IS NULL' ELSE '= $2' END);
END
$$;

-- Whether a table is one of memories that a graph belongs to.
CREATE FUNCTION zerodb._holds_memories(relid oid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT zerodb._has_column(relid, 'content') AND zerodb._has_column(relid, 'user_id') AND zerodb._has_column(relid, 'project_id')
        AND zerodb._primary_key(relid) = '{id}' AND EXISTS (SELECT FROM pg_class AS c
            WHERE c.relname = 'relation_sources' AND c.relnamespace = (SELECT m.relnamespace FROM pg_class AS m WHERE m.oid = relid))
$$;

-- Where args say that a memory lies. 22023 where the table is not one of a store's memories, 42501 where the store's code is not
-- the caller's to run.
CREATE FUNCTION zerodb._graph_place(relid oid, args jsonb) RETURNS zerodb._graph_memory
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    place record;
BEGIN
    SELECT n.nspname AS store, c.relname AS memory_table, args ->> 'memory_id' AS id, args ->> 'user_id' AS user_id, args ->> 'project_id' AS project_id
    INTO place FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = relid;
    IF zerodb._holds_memories(relid) IS NOT TRUE THEN
        RAISE EXCEPTION 'table % holds no memories of a store', coalesce(relid::regclass::text, 'NULL')
            USING ERRCODE = '22023', DETAIL = 'The hook and the table do not fit.', HINT = 'auto_graph works on the tables memories and zeromemory that zerodb.create_store makes.';
    END IF;
    PERFORM zerodb._check_graph_coders(place.store);
    RETURN jsonb_populate_record(NULL::zerodb._graph_memory, to_jsonb(place));
END
$$;

-- A memory with what it says. Content above 1 MiB is not read.
CREATE FUNCTION zerodb._graph_load(relid oid, memory zerodb._graph_memory) RETURNS zerodb._graph_memory
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    loaded record;
BEGIN
    EXECUTE format('SELECT %s AS subject, m.created_at AS said_at, octet_length(m.content) AS size, '
        'CASE WHEN octet_length(m.content) <= 1048576 THEN m.content END AS content, '
        'sha256(convert_to(m.content, ''UTF8'')) AS content_hash FROM %I.%I AS m WHERE m.id = $3 AND %s',
        CASE WHEN zerodb._has_column(relid, 'entity_id') THEN 'm.entity_id' ELSE 'NULL::text' END,
        memory.store, memory.memory_table, zerodb._graph_scope('m', memory))
    INTO loaded USING memory.user_id, memory.project_id, memory.id;
    RETURN jsonb_populate_record(memory, coalesce(to_jsonb(loaded), '{}'));
END
$$;

CREATE FUNCTION zerodb._graph_names(entities jsonb) RETURNS zerodb._graph_name[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN coalesce((SELECT array_agg(ROW(u.n - 1, u.e ->> 'name', zerodb._norm_name(u.e ->> 'name'), coalesce(u.e ->> 'type', 'entity'), u.e ->> 'id',
            coalesce(u.e ->> 'source', 'extracted'), u.e ->> 'score', a.aliases, a.norm_aliases, u.e ->> 'vector',
            coalesce(u.e ->> 'needs_review', 'false'))::zerodb._graph_name ORDER BY u.n)
        FROM jsonb_array_elements(entities) WITH ORDINALITY AS u (e, n)
        CROSS JOIN LATERAL (SELECT coalesce(array_agg(x.alias), '{}') AS aliases, coalesce(array_agg(zerodb._norm_name(x.alias)), '{}') AS norm_aliases
            FROM jsonb_array_elements_text(coalesce(u.e -> 'aliases', '[]')) AS x (alias)) AS a), '{}');
END
$$;

-- The entity of each name, where there is one: the one that this memory named so before, the live one of that name, the only
-- one that has the name as an alias, the one that the worker found, or the only one of the same particular type that an
-- alias of this memory names. Types fit when they are the same or one is just `entity`. `again`: this memory may have been written
-- before.
CREATE FUNCTION zerodb._graph_resolve(memory zerodb._graph_memory, names zerodb._graph_name[], again boolean) RETURNS zerodb._graph_match[]
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
    arms := '(SELECT e.id, ''exact'' AS tier, 1 AS rank FROM %1$I.entities AS e '
        'WHERE e.norm_name = i.norm_name AND e.merged_into IS NULL AND %2$s AND %4$s %5$s) UNION ALL '
        '(SELECT min(e.id), ''alias'', 2 FROM %1$I.entity_aliases AS a JOIN %1$I.entities AS e ON e.id = a.entity_id AND e.merged_into IS NULL '
        'WHERE a.norm_alias = i.norm_name AND %3$s AND %2$s AND %4$s HAVING count(DISTINCT e.id) = 1)';
    IF again THEN
        arms := arms || ' UNION ALL (SELECT e.id, ''again'', 0 FROM %1$I.mentions AS n JOIN %1$I.entities AS e ON e.id = n.entity_id AND e.merged_into IS NULL '
            'WHERE n.memory_id = $4 AND n.memory_table = $5 AND n.norm_name = i.norm_name AND %6$s AND %2$s AND %4$s %5$s)';
    END IF;
    IF EXISTS (SELECT FROM unnest(names) AS n WHERE n.given IS NOT NULL) THEN
        arms := arms || ' UNION ALL (SELECT e.id, ''given'', 3 FROM %1$I.entities AS g JOIN %1$I.entities AS e ON e.id = coalesce(g.merged_into, g.id) '
            'WHERE g.id = i.given AND %7$s AND %2$s)';
    END IF;
    IF EXISTS (SELECT FROM unnest(names) AS n WHERE n.norm_aliases <> '{}') THEN
        arms := arms || ' UNION ALL (SELECT min(e.id), ''alias'', 4 FROM %1$I.entities AS e WHERE e.norm_name = ANY (i.norm_aliases) AND e.merged_into IS NULL '
            'AND e.entity_type = i.entity_type AND i.entity_type <> ''entity'' AND %2$s HAVING count(*) = 1)';
    END IF;
    EXECUTE format('SELECT array_agg(ROW(i.place, f.id, m.tier, f.canonical_name, f.entity_type)::zerodb._graph_match ORDER BY i.place) FROM unnest($3) AS i '
        'CROSS JOIN LATERAL (' || arms || ' ORDER BY rank LIMIT 1) AS m JOIN %1$I.entities AS f ON f.id = m.id',
        memory.store, zerodb._graph_scope('e', memory), zerodb._graph_scope('a', memory), fits, best,
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
    FROM string_to_table(translate(norm_name, '!"#$%&''()*+,-./:;<=>?@[]^_`{|}~' || chr(92), repeat(' ', 32)), ' ') AS w WHERE w <> ''
$$;

-- Live entities that have the name of `i` as an alias, or names spelled almost like it, as a query: three walks along indexes,
-- eight steps up and down each, in the order of names, of names read backwards, and of their sorted words. The tenant's
-- columns stand in the order too, because the planner does not know that `IS NULL` makes one constant.
CREATE FUNCTION zerodb._graph_near(memory zerodb._graph_memory) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('(SELECT e.id, e.canonical_name, e.norm_name, e.entity_type, true AS by_alias FROM %1$I.entity_aliases AS a JOIN %1$I.entities AS e ON e.id = a.entity_id '
        'AND e.merged_into IS NULL WHERE a.norm_alias = i.norm_name AND %2$s AND %3$s ORDER BY e.id LIMIT 8)',
        memory.store, zerodb._graph_scope('a', memory), zerodb._graph_scope('e', memory))
        || string_agg(format(' UNION (SELECT e.id, e.canonical_name, e.norm_name, e.entity_type, false FROM %1$I.entities AS e WHERE e.merged_into IS NULL AND %2$s '
        'AND %3$s %4$s %5$s ORDER BY e.user_id %6$s, e.project_id %6$s, %3$s %6$s LIMIT 8)',
        memory.store, zerodb._graph_scope('e', memory), o.expression, d.operator, o.wanted, d.direction), '')
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
    RETURN (SELECT nullif(a.atttypmod, -1) FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
        WHERE a.attrelid = to_regclass(format('%I.entities', store)) AND a.attname = 'name_embedding' AND t.typname = 'vector' AND NOT a.attisdropped);
END
$$;

-- Reads a memory before it is extracted: {found, content, size, content_hash, said_at, subject, extraction, dimensions}, where
-- extraction is what the ledger says, and dimensions those of names' embeddings where pgvector can search them.
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
    EXECUTE format('SELECT jsonb_build_object(''content_hash'', encode(x.content_hash, ''hex''), ''prompt_version'', x.prompt_version, ''model'', x.model) '
        'FROM %I.extractions AS x WHERE x.memory_id = $3 AND x.memory_table = $4 AND %s', memory.store, zerodb._graph_scope('x', memory))
    INTO extraction USING memory.user_id, memory.project_id, memory.id, memory.memory_table;
    RETURN jsonb_build_object('found', true, 'content', memory.content, 'size', memory.size, 'content_hash', encode(memory.content_hash, 'hex'),
        'said_at', memory.said_at, 'subject', memory.subject, 'extraction', extraction, 'dimensions', zerodb._graph_dimensions(memory.store));
END
$$;

-- What each of args.entities [{name, type, aliases, vector}] may be: [{place, norm_name, match: {id, tier, name, type}, candidates:
-- [{id, name, norm_name, type, by_alias, cosine}]}]. Without a match the candidates are those spelled almost alike and, where a vector is given (its place
-- among `vectors`, args.dimensions each, made by args.embedding_model), the 15 nearest by it.
CREATE FUNCTION zerodb._do_graph_candidates(plan jsonb, relid oid, args jsonb, vectors real[]) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    memory zerodb._graph_memory := zerodb._graph_place(relid, args || plan);
    names zerodb._graph_name[] := zerodb._graph_names(coalesce(args -> 'entities', '[]'));
    matches zerodb._graph_match[];
    place name := (SELECT n.nspname FROM pg_extension AS x JOIN pg_namespace AS n ON n.oid = x.extnamespace WHERE x.extname = 'vector');
    near text;
    found_near jsonb;
BEGIN
    PERFORM set_config('zerodb.user_id', coalesce(memory.user_id::text, ''), true);
    matches := zerodb._graph_resolve(memory, names, true);
    IF cardinality(matches) < cardinality(names) THEN
        near := format('SELECT q.id, q.canonical_name, q.norm_name, q.entity_type, q.by_alias, NULL::double precision AS cosine FROM (%s) AS q', zerodb._graph_near(memory));
        IF zerodb._graph_dimensions(memory.store) = (args ->> 'dimensions')::integer THEN
            near := near || format(' UNION ALL (SELECT e.id, e.canonical_name, e.norm_name, e.entity_type, false, 1 - (e.name_embedding OPERATOR(%1$I.<=>) v.vector) '
                'FROM (SELECT ($4)[i.vector_place * $5 + 1 : (i.vector_place + 1) * $5]::%1$I.vector AS vector WHERE i.vector_place IS NOT NULL) AS v '
                'CROSS JOIN LATERAL (SELECT * FROM %2$I.entities AS e WHERE e.merged_into IS NULL AND e.embedding_model = $6 AND %3$s '
                'ORDER BY e.name_embedding OPERATOR(%1$I.<=>) v.vector LIMIT 15) AS e)', place, memory.store, zerodb._graph_scope('e', memory));
        END IF;
        EXECUTE format($q$
            SELECT jsonb_object_agg(i.place, c.candidates) FROM unnest($3) AS i
            CROSS JOIN LATERAL (SELECT coalesce(jsonb_agg(jsonb_build_object('id', q.id, 'name', q.canonical_name, 'norm_name', q.norm_name, 'type', q.entity_type,
                    'by_alias', q.by_alias, 'cosine', q.cosine) ORDER BY q.cosine DESC NULLS LAST, q.norm_name, q.id), '[]') AS candidates
                FROM (SELECT a.id, a.canonical_name, a.norm_name, a.entity_type, bool_or(a.by_alias) AS by_alias, max(a.cosine) AS cosine
                    FROM (%s) AS a GROUP BY 1, 2, 3, 4) AS q) AS c
            $q$, near)
        INTO found_near USING memory.user_id, memory.project_id,
            ARRAY(SELECT n FROM unnest(names) AS n WHERE NOT EXISTS (SELECT FROM unnest(matches) AS m WHERE m.place = n.place)),
            vectors, (args ->> 'dimensions')::integer, args ->> 'embedding_model';
    END IF;
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('place', n.place, 'norm_name', n.norm_name, 'candidates', coalesce(found_near -> n.place::text, '[]'),
            'match', CASE WHEN m.id IS NOT NULL THEN jsonb_build_object('id', m.id, 'tier', m.tier, 'name', m.name, 'type', m.entity_type) END) ORDER BY n.place), '[]')
        FROM unnest(names) AS n LEFT JOIN unnest(matches) AS m ON m.place = n.place);
END
$$;
