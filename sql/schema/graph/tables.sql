-- The graph's tables of a store: entities, the facts between them, and which memory said what. They belong to the user.
-- References carry the tenant: a foreign key passes row-level security, so one by the id alone could be to what is
-- another tenant's. And ids are random, so that they do not show how much others have.

-- Entities are looked for by name in three orders (see _graph_candidates), so a name that is spelled almost alike
-- stands near in one of them: by the name, by the name read backwards, and by its words in alphabetical order.
CREATE FUNCTION zerodb._create_entities(schema name, dimensions integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    vectors name := (SELECT n.nspname
        FROM pg_extension AS e
        JOIN pg_namespace AS n ON n.oid = e.extnamespace
        WHERE e.extname = 'vector');
BEGIN
    IF NOT zerodb._create_store_table(schema, 'entities',
        'Graph: one row a thing of the world; norm_name is zerodb._norm_name(canonical_name)', format(
        $t$%s,
        canonical_name text NOT NULL CHECK (length(canonical_name) BETWEEN 1 AND 512),
        norm_name text COLLATE "C" NOT NULL CHECK (norm_name <> ''),
        sorted_name text COLLATE "C" NOT NULL,
        entity_type text NOT NULL DEFAULT 'entity' CHECK (entity_type <> ''),
        properties jsonb NOT NULL DEFAULT '{}',
        summary text,
        %s,
        embedding_model text,
        mention_count bigint NOT NULL DEFAULT 0,
        merged_into bigint,
        origin text NOT NULL DEFAULT 'manual' CHECK (origin IN ('manual', 'extracted')),
        needs_review boolean NOT NULL DEFAULT false,
        last_seen timestamptz NOT NULL DEFAULT now(),
        %s,
        UNIQUE (id, tenant),
        %s$t$,
        zerodb._id_column(), zerodb._embedding_column(schema, 'name_embedding', dimensions),
            zerodb._tenant_key_column(),
        zerodb._tenant_reference(schema, 'merged_into', 'entities')),
        '{"(norm_name, user_id, project_id)",
        "(user_id, project_id, reverse(norm_name)) WHERE merged_into IS NULL",
        "(user_id, project_id, sorted_name) WHERE merged_into IS NULL",
        "(merged_into) WHERE merged_into IS NOT NULL"}')
    THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE UNIQUE INDEX entities_live_name ON %I.entities (user_id, project_id, norm_name, entity_type) '
        'NULLS NOT DISTINCT WHERE merged_into IS NULL', schema);
    EXECUTE format('CREATE TRIGGER sort_name BEFORE INSERT OR UPDATE OF norm_name, sorted_name ON %I.entities '
        'FOR EACH ROW EXECUTE FUNCTION %I.sort_name()', schema, schema);
    -- Unlike vectors, entities are few and stored by the worker alone; pgvector's index ends at 2000 dimensions.
    IF vectors IS NOT NULL AND dimensions <= 2000
        AND EXISTS (SELECT FROM pg_attribute AS a
            JOIN pg_type AS t ON t.oid = a.atttypid
            WHERE a.attrelid = format('%I.entities', schema)::regclass AND a.attname = 'name_embedding'
                AND t.typname = 'vector')
    THEN
        EXECUTE format($q$
            CREATE INDEX entities_embedding ON %I.entities USING hnsw (name_embedding %I.vector_cosine_ops)
            WHERE merged_into IS NULL
            $q$, schema, vectors);
    END IF;
END
$$;

-- A relation is one fact with two clocks: valid_at, invalid_at in the world; created_at, expired_at in this database.
-- said_at is when it was first said, the next best where the world's clock is not known. The indexes of neighbours are
-- full, not partial on what is true now, so that as_of queries use them too.
CREATE FUNCTION zerodb._create_relations(schema name, dimensions integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF zerodb._create_store_table(schema, 'relations', 'Graph: one row a fact about two entities', format(
        $t$%s,
        source_id bigint NOT NULL,
        predicate text NOT NULL CHECK (%s),
        target_id bigint NOT NULL,
        fact text,
        %s,
        confidence real NOT NULL DEFAULT 1 CHECK (confidence BETWEEN 0 AND 1),
        valid_at timestamptz,
        invalid_at timestamptz,
        said_at timestamptz NOT NULL DEFAULT now(),
        expired_at timestamptz,
        superseded_by bigint REFERENCES %I.relations ON DELETE SET NULL,
        origin text NOT NULL DEFAULT 'manual' CHECK (origin IN ('manual', 'extracted')),
        CHECK (invalid_at >= valid_at),
        %s,
        UNIQUE (id, tenant),
        %s, %s$t$,
        zerodb._id_column(), zerodb._predicate_check('predicate'),
            zerodb._embedding_column(schema, 'fact_embedding', dimensions), schema, zerodb._tenant_key_column(),
        zerodb._tenant_reference(schema, 'source_id', 'entities'),
            zerodb._tenant_reference(schema, 'target_id', 'entities')),
        '{"(source_id, confidence DESC, id DESC)","(target_id, confidence DESC, id DESC)","(source_id, predicate, target_id)",
        "(superseded_by) WHERE superseded_by IS NOT NULL"}')
    THEN
        EXECUTE format('CREATE UNIQUE INDEX relations_live ON %I.relations (user_id, project_id, source_id, predicate, target_id) '
            'NULLS NOT DISTINCT WHERE expired_at IS NULL AND invalid_at IS NULL', schema);
    END IF;
END
$$;

-- Which memory named an entity, by which name, and which said a fact: what makes retraction exact. A memory is known by
-- its table and its id. merged_from has the entities that a mention was of before they were merged, the latest last.
CREATE FUNCTION zerodb._create_provenance(schema name) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM zerodb._create_store_table(schema, 'mentions', 'Graph: which memory named which entity, by which name',
        format(
        $t$memory_table text NOT NULL,
        memory_id text NOT NULL,
        entity_id bigint NOT NULL,
        norm_name text COLLATE "C" NOT NULL,
        name text NOT NULL,
        merged_from bigint[] NOT NULL DEFAULT '{}',
        %s,
        PRIMARY KEY (memory_id, memory_table, entity_id, norm_name),
        %s$t$, zerodb._tenant_key_column(), zerodb._tenant_reference(schema, 'entity_id', 'entities')),
        '{"(entity_id, norm_name)"}');
    PERFORM zerodb._create_store_table(schema, 'relation_sources', 'Graph: which memory said so, and in which words',
        format(
        $t$relation_id bigint NOT NULL,
        memory_table text NOT NULL,
        memory_id text NOT NULL,
        fact text,
        quote text,
        confidence real NOT NULL CHECK (confidence BETWEEN 0 AND 1),
        valid_at timestamptz,
        invalid_at timestamptz,
        said_at timestamptz NOT NULL,
        %s,
        PRIMARY KEY (relation_id, memory_id, memory_table),
        %s$t$, zerodb._tenant_key_column(), zerodb._tenant_reference(schema, 'relation_id', 'relations')),
        '{"(memory_id, memory_table)"}');
    PERFORM zerodb._create_store_table(schema, 'extractions',
        'Graph: what was extracted from which content, so that a second delivery costs nothing',
        $t$memory_table text NOT NULL,
        memory_id text NOT NULL,
        content_hash bytea NOT NULL,
        prompt_version integer NOT NULL,
        model text NOT NULL,
        entities integer NOT NULL,
        relations integer NOT NULL,
        prompt_tokens integer,
        completion_tokens integer,
        $t$ || zerodb._tenant_key_column() || ', PRIMARY KEY (memory_id, memory_table, tenant)',
        '{}');
END
$$;

-- The rules of predicates. Rows without a user count for every user of the store; a user's own row goes first. Only
-- what can hardly be true twice is single-valued by default: one may live in a city and in its country.
CREATE FUNCTION zerodb._create_predicates(schema name) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF zerodb._create_store_table(schema, 'predicates',
        'Graph: rules of predicates, for you to change; a row without a user counts for all',
        format($t$predicate text NOT NULL CHECK (%s),
        single_valued boolean NOT NULL DEFAULT false,
        inverse text CHECK (%s),
        UNIQUE NULLS NOT DISTINCT (predicate, user_id, project_id)$t$, zerodb._predicate_check('predicate'),
            zerodb._predicate_check('inverse')),
        '{}')
    THEN
        EXECUTE format('COMMENT ON COLUMN %I.predicates.single_valued IS %L', schema,
            'A newer fact of the same entity ends the older one');
        EXECUTE format('COMMENT ON COLUMN %I.predicates.inverse IS %L', schema,
            'A fact with this predicate is stored turned round; the predicate itself where it says the same both ways');
        EXECUTE format('CREATE POLICY everybody ON %I.predicates FOR SELECT USING (user_id IS NULL)', schema);
        EXECUTE format($q$
            INSERT INTO %I.predicates (predicate, single_valued, inverse, user_id, project_id)
            VALUES ('BORN_IN', true, NULL, NULL, NULL), ('DIED_IN', true, NULL, NULL, NULL),
                ('CAPITAL_OF', true, 'HAS_CAPITAL', NULL, NULL), ('MARRIED_TO', true, 'MARRIED_TO', NULL, NULL)
            $q$, schema);
    END IF;
END
$$;

CREATE FUNCTION zerodb._create_graph_tables(schema name, dimensions integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Words of a name in the order of their bytes, without punctuation.
    IF to_regprocedure(format('%I.sort_name()', schema)) IS NULL THEN
        EXECUTE format('CREATE FUNCTION %I.sort_name() RETURNS trigger LANGUAGE plpgsql '
            'SET search_path = pg_catalog, pg_temp AS %L', schema,
            $f$BEGIN new.sorted_name := coalesce((SELECT string_agg(w, ' ' ORDER BY w COLLATE "C")
            FROM string_to_table(translate(new.norm_name, '!"#$%&''()*+,-./:;<=>?@[]^_`{|}~' || chr(92), repeat(' ', 32)), ' ') AS w WHERE w <> ''), ''); RETURN new; END$f$);
    END IF;
    PERFORM zerodb._create_entities(schema, dimensions);
    PERFORM zerodb._create_store_table(schema, 'entity_aliases',
        'Graph: other names of an entity, and how they were found', format(
        $t$entity_id bigint NOT NULL,
        norm_alias text COLLATE "C" NOT NULL,
        alias text NOT NULL,
        source text NOT NULL DEFAULT 'manual' CHECK (source IN ('extracted', 'fuzzy', 'embedding', 'model', 'merged',
            'manual')),
        confidence real NOT NULL DEFAULT 1 CHECK (confidence BETWEEN 0 AND 1),
        %s,
        PRIMARY KEY (entity_id, norm_alias),
        %s$t$, zerodb._tenant_key_column(), zerodb._tenant_reference(schema, 'entity_id', 'entities')),
        '{"(norm_alias, user_id, project_id)"}');
    PERFORM zerodb._create_relations(schema, dimensions);
    PERFORM zerodb._create_provenance(schema);
    PERFORM zerodb._create_predicates(schema);
    PERFORM zerodb._widen_predicates(schema);
    PERFORM zerodb._create_store_table(schema, 'merge_log', 'Graph: which entities were made one, why, and what moved',
        format(
        $t$%s,
        winner_id bigint NOT NULL,
        loser_id bigint NOT NULL,
        tier text NOT NULL DEFAULT 'manual',
        score real,
        moved jsonb NOT NULL,
        undone_at timestamptz,
        %s,
        %s, %s$t$, zerodb._id_column(), zerodb._tenant_key_column(), zerodb._tenant_reference(schema, 'winner_id', 'entities'),
        zerodb._tenant_reference(schema, 'loser_id', 'entities')),
        '{"(winner_id)","(loser_id)"}');
END
$$;
