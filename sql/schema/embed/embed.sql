-- auto_embed: what it reads of a user's table and writes back. Statements are made here with the rights of the
-- extension's owner, of the hook's config and the catalog: the worker names rows and gives values, and nothing else. A
-- statement is then run as a role that may use the table (see hooks/owner.sql); it calls nothing of the extension's.
-- Its parameters are $1, what the worker gave, and $2, a list of vectors, one after another. A row is named by its key,
-- the values of the primary key as texts, in its order.

-- The hashes of what was embedded, for tables that have no columns <target>_hash and <target>_model of their own.
CREATE TABLE zerodb.embedding (
    hook_id uuid NOT NULL REFERENCES zerodb.zerodb_hooks ON DELETE CASCADE,
    relid oid NOT NULL,
    key jsonb NOT NULL,
    hash bytea NOT NULL,
    model text NOT NULL,
    PRIMARY KEY (hook_id, relid, key)
);
COMMENT ON TABLE zerodb.embedding IS
    'What auto_embed made each vector from, where the table itself has no column for it';

-- The columns that a hook's vectors are made of. Those of a template are found by the worker, which parses it; here
-- each must be a word of it, so that no other column is ever read. 42501 for one that is not.
CREATE FUNCTION zerodb._embed_columns(config jsonb, named jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    words text[] := regexp_split_to_array(config ->> 'template', '[[:space:]!-/:-@[-^`{-~]+');
    wrong text;
BEGIN
    IF config ->> 'template' IS NULL THEN
        RETURN jsonb_build_array(coalesce(config ->> 'content', 'content'));
    END IF;
    SELECT c INTO wrong FROM jsonb_array_elements_text(coalesce(named, '[]')) AS c WHERE c <> ALL (words) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the template of the hook names no column %', quote_ident(wrong)
            USING ERRCODE = '42501', HINT = 'Only the columns that a hook''s config names are read.';
    END IF;
    RETURN coalesce(named, '[]');
END
$$;

-- How a hook embeds a table: args {event_type, columns}, of which the second is asked for where the hook has a
-- template. With `chunks` the answer is that of chunks.sql.
CREATE FUNCTION zerodb._embed_plan(hook zerodb.zerodb_hooks, relid oid, args jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target text := coalesce(hook.hook_config ->> 'target_column', 'embedding');
    name text := relid::regclass::text;
    key text[] := zerodb._primary_key(relid);
    chunks jsonb := zerodb._chunks_of(relid, hook.hook_config);
    columns jsonb;
    wrong text;
BEGIN
    IF cardinality(key) = 0 THEN
        PERFORM zerodb._bad_embed(format('table %s has no primary key', name), 'Add one: rows are named by it.');
    END IF;
    IF chunks IS NOT NULL THEN
        RETURN zerodb._chunk_plan(hook, relid, args, chunks);
    END IF;
    IF NOT zerodb._is_vector_column(relid, target) THEN
        PERFORM zerodb._bad_embed(format('table %s has no column %s of vectors', name, target),
            format('Name one of type vector, halfvec or real[] as "target_column", or keep vectors of parts: SELECT zerodb.create_chunk_table(%L).', name));
    END IF;
    columns := zerodb._embed_columns(hook.hook_config, args -> 'columns');
    SELECT c INTO wrong FROM jsonb_array_elements_text(columns) AS c WHERE NOT zerodb._has_column(relid, c) LIMIT 1;
    IF FOUND THEN
        PERFORM zerodb._bad_embed(format('table %s has no column %s', name, quote_ident(wrong)),
            'Correct "content" or "template".');
    END IF;
    RETURN jsonb_build_object(
        'table', name, 'key', to_jsonb(key), 'fields', zerodb._key_fields(relid, key, args ->> 'event_type'),
            'columns', columns,
        'target', target, 'dimensions', zerodb._vector_dimensions(relid, target),
        'model_column', zerodb._column_of(relid, target || '_model', '{text}'),
        'hash_column', zerodb._column_of(relid, target || '_hash', '{bytea}'));
END
$$;

-- The columns of a row that embedding needs, as the expression of a select list.
CREATE FUNCTION zerodb._embed_row(plan jsonb, relid oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($q$jsonb_build_object('key', jsonb_build_array(%s), 'source', %s, 'size', %s,
        'values', CASE WHEN %s <= %s THEN jsonb_build_object(%s) END, 'embedded', t.%I IS NOT NULL,
        'hash', %s, 'model', %s)$q$,
        (SELECT string_agg(zerodb._key_text(relid, c), ', ' ORDER BY n) FROM jsonb_array_elements_text(plan -> 'key')
            WITH ORDINALITY AS u (c, n)),
        zerodb._source_hash(plan -> 'columns'), zerodb._source_size(plan -> 'columns'),
            zerodb._source_size(plan -> 'columns'), zerodb._embed_limit(),
        (SELECT string_agg(format('%L, t.%I', c, c), ', ') FROM jsonb_array_elements_text(plan -> 'columns') AS c),
        plan ->> 'target',
        CASE WHEN plan ->> 'hash_column' IS NULL THEN 'NULL'
            ELSE format('encode(t.%I, ''hex'')', plan ->> 'hash_column') END,
        CASE WHEN plan ->> 'model_column' IS NULL THEN 'NULL' ELSE format('t.%I', plan ->> 'model_column') END)
$$;

-- The rows of some keys: $1 {keys}. A key without a row is left out.
CREATE FUNCTION zerodb._embed_read(plan jsonb, relid oid, args jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT coalesce(jsonb_agg(jsonb_build_object(''n'', k.n - 1) || %s), ''[]'') '
        'FROM jsonb_array_elements($1 -> ''keys'') WITH ORDINALITY AS k (key, n) JOIN %s AS t ON %s AND %s',
        zerodb._embed_row(plan, relid), relid::regclass, zerodb._key_condition(relid, plan -> 'key'),
            zerodb._tenant_condition(plan))
$$;

-- The next rows in the order of the key: $1 {after, limit, missing}. With `missing`, only those without a vector.
CREATE FUNCTION zerodb._embed_page(plan jsonb, relid oid, args jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($q$
        SELECT coalesce(jsonb_agg(jsonb_build_object('n', p.n) || p.row ORDER BY p.n), '[]')
        FROM (SELECT row_number() OVER (ORDER BY %1$s) - 1 AS n, %2$s AS row
            FROM %3$s AS t
            WHERE %4$s AND %5$s AND %6$s
            ORDER BY %1$s
            LIMIT ($1 ->> 'limit')::integer) AS p
        $q$,
        b.columns, zerodb._embed_row(plan, relid), relid::regclass, b.condition, zerodb._tenant_condition(plan),
        CASE WHEN (args ->> 'missing')::boolean THEN format('t.%I IS NULL', plan ->> 'target') ELSE 'true' END)
    FROM zerodb._page_bounds(relid, plan -> 'key', args) AS b
$$;

-- Writes vectors to the rows whose source is still the one that was embedded: $1 {model, dimensions, rows: [{key,
-- source, hash}]}. Returns the places of the rows written.
CREATE FUNCTION zerodb._embed_write(plan jsonb, relid oid, args jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($q$
        -- written: the rows that still have the source that was embedded.
        WITH written AS (UPDATE %s AS t
            SET %I = ($2)[(k.n - 1) * k.size + 1 : k.n * k.size]::%s %s %s
            FROM (SELECT e -> 'key' AS key, e ->> 'source' AS source, e ->> 'hash' AS hash, n::integer AS n,
                    ($1 ->> 'dimensions')::integer AS size
                FROM jsonb_array_elements($1 -> 'rows') WITH ORDINALITY AS u (e, n)) AS k
            WHERE %s AND %s AND %s = k.source
            RETURNING k.n - 1 AS n)
        SELECT coalesce(jsonb_agg(w.n), '[]')
        FROM written AS w
        $q$,
        relid::regclass, plan ->> 'target', zerodb._vector_type(relid, plan ->> 'target'),
        CASE WHEN plan ->> 'model_column' IS NULL THEN ''
            ELSE format(', %I = $1 ->> ''model''', plan ->> 'model_column') END,
        CASE WHEN plan ->> 'hash_column' IS NULL THEN ''
            ELSE format(', %I = decode(k.hash, ''hex'')', plan ->> 'hash_column') END,
        zerodb._key_condition(relid, plan -> 'key'), zerodb._tenant_condition(plan),
            zerodb._source_hash(plan -> 'columns'))
$$;

-- How many rows there are, and how many have a vector.
CREATE FUNCTION zerodb._embed_count(plan jsonb, relid oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT jsonb_build_object(''total'', count(*), ''embedded'', count(t.%I)) FROM %s AS t WHERE %s',
        plan ->> 'target', relid::regclass, zerodb._tenant_condition(plan))
$$;
