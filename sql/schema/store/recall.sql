-- API: public. Finding what the store holds again: by vectors, by words, or by both.

-- 22023 for a search that cannot be.
CREATE FUNCTION zerodb._check_recall(query text, max_rows integer, source text) RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF query IS NULL OR query !~ '[^[:space:]]' THEN
        RAISE EXCEPTION 'the query is empty' USING ERRCODE = '22023', HINT = 'Say what to look for.';
    END IF;
    IF max_rows IS NULL OR max_rows NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'invalid limit %', coalesce(max_rows::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'Give 1 to 1000.';
    END IF;
    IF source IS NULL OR source NOT IN ('zeromemory', 'memories', 'vectors', 'files') THEN
        RAISE EXCEPTION 'invalid source %', coalesce(quote_literal(source), 'NULL')
            USING ERRCODE = '22023', HINT = 'Give zeromemory (what remember stores), memories, vectors or files.';
    END IF;
    IF octet_length(query) > 1048576 THEN
        RAISE EXCEPTION 'the query has % bytes, and at most 1048576 are searched for', octet_length(query)
            USING ERRCODE = '22023', HINT = 'Ask for what a text is about, not with the text itself.';
    END IF;
END
$$;

-- Whether a query's vector has a direction; nothing is more like zero than anything else. 22023 for one that is no
-- vector.
CREATE FUNCTION zerodb._has_direction(given real[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM unnest(given) AS u (part)
        WHERE u.part IS NULL OR u.part IN ('NaN', 'Infinity', '-Infinity'))
    THEN
        RAISE EXCEPTION 'the query''s embedding holds null, NaN or infinity'
            USING ERRCODE = '22023', HINT = 'Embed the query again, or leave query_embedding out to search by words.';
    END IF;
    RETURN EXISTS (SELECT FROM unnest(given) AS u (part) WHERE u.part <> 0);
END
$$;

-- The words of a column or parameter, as an expression: what reads the same has one form (NFKC), and what nobody sees
-- is left out. Any text has some, and in no time: a tsvector holds a megabyte, and of 90,000 characters it takes less
-- whatever they are, also where one becomes eighteen; the parser's time grows with the square of a text without spaces,
-- so it gets one each 255 characters. The index of docs/guide/memory.md has this expression, of built-in functions
-- only, so that it outlives the extension and whoever writes to the table needs no right to a function. Without UTF-8 there are no forms
-- to choose from.
CREATE FUNCTION zerodb._words_of(argument text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($f$to_tsvector('simple', regexp_replace(%s, '(\S{255})', '\1 ', 'g'))$f$,
        format(CASE getdatabaseencoding() WHEN 'UTF8'
        THEN $f$left(regexp_replace(normalize(left(%s, 90000), NFKC), '[\u00AD\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]', '', 'g'), 90000)$f$
        ELSE 'left(%s, 90000)' END, argument))
$$;

-- The distance of a column of vectors to the vector $2, as an expression; by that of pgvector, which an index serves.
CREATE FUNCTION zerodb._distance(relid oid, column_name text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN t.typname = '_float4' THEN format('(1 - zerodb._cosine_similarity(t.%I, $2))', a.attname)
        ELSE format('(t.%I OPERATOR(%I.<=>) $2::%s)', a.attname, n.nspname, format_type(a.atttypid, NULL)) END
    FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid JOIN pg_namespace AS n ON n.oid = t.typnamespace
    WHERE a.attrelid = relid AND a.attname = column_name AND NOT a.attisdropped
$$;

-- The vectors that a query is compared with: its own where one is given, else the local provider's where the store
-- holds any of its kind; null where only words can be compared.
CREATE FUNCTION zerodb._query_vector(target regclass, query text, given real[]) RETURNS real[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    dimensions integer := zerodb._vector_dimensions(target, 'embedding');
    acting uuid := nullif(zerodb._acting_user(NULL), zerodb._every_user());
    has_local boolean;
BEGIN
    IF given IS NOT NULL THEN
        IF cardinality(given) <> dimensions THEN
            RAISE EXCEPTION 'the query''s embedding has % dimensions, those of % have %', cardinality(given), target,
                dimensions
                USING ERRCODE = '22023', HINT = 'Embed the query with the model that embedded the store.';
        END IF;
        IF NOT zerodb._has_direction(given) THEN
            RAISE WARNING 'the query''s embedding is all zeros: only words are compared'
                USING HINT = 'Embed the query with the model that embedded the store.';
            RETURN NULL;
        END IF;
        RETURN given;
    END IF;
    EXECUTE format($q$
        SELECT EXISTS (SELECT FROM %s AS t
            WHERE t.embedding_model = zerodb._lexical_model() AND ($1 IS NULL OR t.user_id = $1))
        $q$, target)
    INTO has_local USING acting;
    RETURN CASE WHEN has_local THEN zerodb._lexical_embedding(query, dimensions) END;
END
$$;

-- What a query must be embedded as: the dimensions of the vectors of a source, whether there are any of the model, and
-- one that there are vectors of.
CREATE FUNCTION zerodb._recall_space(source text, schema name, model text, OUT dimensions integer,
    OUT has_model boolean, OUT other_model text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target regclass;
    acting uuid := nullif(zerodb._acting_user(NULL), zerodb._every_user());
BEGIN
    PERFORM zerodb._check_recall('any', 1, source);
    target := zerodb._store_table(schema, CASE source WHEN 'files' THEN 'file_chunks' ELSE source END);
    dimensions := zerodb._vector_dimensions(target, 'embedding');
    EXECUTE format('SELECT EXISTS (SELECT FROM %1$s AS t WHERE t.embedding_model = $1 AND ($2 IS NULL OR t.user_id = $2)), '
        '(SELECT t.embedding_model FROM %1$s AS t WHERE t.embedding_model IS NOT NULL AND ($2 IS NULL OR t.user_id = $2) LIMIT 1)', target)
    INTO has_model, other_model USING model, acting;
END
$$;

-- The two searches, joined by reciprocal ranks (Cormack, Clarke and Büttcher 2009): each gives its best 4 times "limit"
-- rows. Words count half, and the constant is 10 where theirs is 60: with equal parts and 60, whatever both searches
-- find anywhere comes before what the vectors find first, and on bench/search a fifth of what a model finds for
-- paraphrased questions is lost. $1 words, $2 vector, $3 user, $4 project, $5 rows, $6 entity, $7 namespace, $8 least
-- similarity, $9 whether the vector is of the local provider.
CREATE FUNCTION zerodb._recall(query text, max_rows integer, source text, entity text, space text,
    least_similarity real, given real[], schema name)
RETURNS TABLE (id text, content text, score real, similarity real, found_by text, created_at timestamptz,
    metadata jsonb)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on
AS $$
DECLARE
    target regclass;
    acting uuid := nullif(zerodb._acting_user(NULL), zerodb._every_user());
    project uuid := nullif(current_setting('zerodb.project_id', true), '')::uuid;
    vector real[];
    mine text;
BEGIN
    PERFORM zerodb._check_recall(query, max_rows, source);
    target := zerodb._store_table(schema, CASE source WHEN 'files' THEN 'file_chunks' ELSE source END);
    vector := zerodb._query_vector(target, query, given);
    mine := concat_ws(' AND ', '($3 IS NULL OR t.user_id = $3) AND ($4 IS NULL OR t.project_id = $4)',
        CASE WHEN zerodb._has_column(target, 'entity_id') THEN '($6 IS NULL OR t.entity_id = $6)' ELSE '$6 IS NULL' END,
        CASE WHEN zerodb._has_column(target, 'namespace') THEN '($7 IS NULL OR t.namespace = $7)'
            ELSE '$7 IS NULL' END);
    RETURN QUERY EXECUTE format($q$
        WITH words AS (
            -- Any of the first words; those that every English text has say nothing. A query of more words than that
            -- would take its time for each row, and one of ten thousand has no room on the stack.
            SELECT string_agg(chr(39) || replace(replace(u.lexeme, chr(92), repeat(chr(92), 2)), chr(39),
                repeat(chr(39), 2)) || chr(39), ' | ')::tsquery AS query
            FROM (SELECT w.lexeme FROM unnest(%6$s) AS w WHERE to_tsvector('english', w.lexeme) <> ''
                ORDER BY w.positions[1], w.lexeme LIMIT 200) AS u
        ), by_vector AS (
            SELECT v.id, v.similarity, row_number() OVER (ORDER BY v.similarity DESC, v.id) AS rank
            FROM (SELECT t.id::text AS id, (1 - %2$s)::real AS similarity FROM %1$s AS t
                WHERE $2 IS NOT NULL AND t.embedding IS NOT NULL
                    AND (NOT $9 OR t.embedding_model = zerodb._lexical_model()) AND %3$s
                ORDER BY %2$s LIMIT $5 * 4) AS v
            -- A stored vector of zeros is like nothing.
            WHERE v.similarity >= coalesce($8, 0.05) AND v.similarity <> 'NaN'
        ), by_words AS (
            SELECT w.id, row_number() OVER (ORDER BY w.rank DESC, w.id) AS rank
            FROM (SELECT t.id::text AS id, ts_rank_cd(%5$s, words.query, 1) AS rank
                FROM %1$s AS t, words WHERE %5$s @@ words.query AND %3$s
                ORDER BY 2 DESC LIMIT $5 * 4) AS w
        ), found AS (
            SELECT coalesce(v.id, w.id) AS id, v.similarity,
                coalesce(1.0 / (10 + v.rank), 0) + coalesce(0.5 / (10 + w.rank), 0) AS score,
                CASE WHEN v.id IS NULL THEN 'words' WHEN w.id IS NULL THEN 'vector' ELSE 'both' END AS found_by
            FROM by_vector AS v FULL JOIN by_words AS w ON w.id = v.id
            WHERE $8 IS NULL OR v.id IS NOT NULL
        )
        SELECT t.id::text, t.content, f.score::real, f.similarity::real, f.found_by, t.created_at, %4$s
        FROM found AS f JOIN %1$s AS t ON t.id::text = f.id AND %3$s
        ORDER BY f.score DESC, f.similarity DESC NULLS LAST, t.id LIMIT $5
        $q$, target, zerodb._distance(target, 'embedding'), mine,
            CASE source
                WHEN 'files' THEN $f$jsonb_build_object('file_id', t.file_id, 'chunk', t.chunk, 'heading', t.heading)$f$
                ELSE 't.metadata' END,
            zerodb._words_of('t.content'), zerodb._words_of('$1'))
    USING query, vector, acting, project, max_rows, entity, space, least_similarity, given IS NULL;
END
$$;

-- In SQL, because PL/pgSQL has no argument and result column of one name.
CREATE FUNCTION zerodb.recall(
    query text,
    "limit" integer DEFAULT 10,
    source text DEFAULT 'zeromemory',
    entity_id text DEFAULT NULL,
    namespace text DEFAULT NULL,
    min_similarity real DEFAULT NULL,
    query_embedding real[] DEFAULT NULL,
    schema name DEFAULT 'zerodb_store'
) RETURNS TABLE (id text, content text, score real, similarity real, found_by text, created_at timestamptz,
    metadata jsonb)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.* FROM zerodb._recall(recall.query, recall."limit", recall.source, recall.entity_id, recall.namespace,
        recall.min_similarity,
        recall.query_embedding, recall.schema) AS r
$$;
COMMENT ON FUNCTION zerodb.recall(text, integer, text, text, text, real, real[], name) IS
    'The rows of the store, or the parts of its files, that fit a query best: by query_embedding, or by the local provider''s vectors where the store has them, and by words, of which the first 90,000 characters of a text are compared; 22023 for arguments that cannot be, 42P01 without a store';
