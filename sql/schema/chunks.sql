-- auto_embed in chunks: a text that is longer than a model's input, or a file, has a vector for each of its parts. They lie in a
-- table of the user's that refers to the row by a foreign key, so that they go with it. What is read of the source is as in
-- summarize.sql; the statements keep to the rules of embed.sql.

-- The tables that can hold the chunks of a table's rows, with the columns that name the row, in the order of its primary key. They
-- belong to the same role: a stranger's trigger must not run with its rights.
CREATE FUNCTION zerodb._chunk_tables(relid oid, target text) RETURNS TABLE (chunks oid, key jsonb)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.conrelid, k.key
    FROM pg_constraint AS c
    JOIN pg_class AS s ON s.oid = c.confrelid
    JOIN pg_class AS r ON r.oid = c.conrelid AND r.relowner = s.relowner
    CROSS JOIN LATERAL (
        SELECT jsonb_agg(own.attname ORDER BY p.n) AS key, count(*) AS columns
        FROM unnest(zerodb._primary_key(c.confrelid)) WITH ORDINALITY AS p (name, n)
        JOIN pg_attribute AS a ON a.attrelid = c.confrelid AND a.attname = p.name
        JOIN unnest(c.confkey, c.conkey) AS m (theirs, ours) ON m.theirs = a.attnum
        JOIN pg_attribute AS own ON own.attrelid = c.conrelid AND own.attnum = m.ours) AS k
    WHERE c.contype = 'f' AND c.confrelid = relid AND c.conparentid = 0
        AND k.columns = cardinality(c.conkey) AND k.columns = cardinality(zerodb._primary_key(c.confrelid))
        AND zerodb._column_of(c.conrelid, 'chunk', '{integer}') IS NOT NULL AND zerodb._column_of(c.conrelid, 'content', '{text}') IS NOT NULL
        AND zerodb._column_of(c.conrelid, target || '_hash', '{bytea}') IS NOT NULL
        AND zerodb._is_vector_column(c.conrelid, target)
$$;

-- Those that a hook may use: the one that its config names, else all of a table that has no column for a vector of its own. Null where
-- there is none. It raises nothing, so that a hook that does not fit stops no look at all hooks.
CREATE FUNCTION zerodb._fitting_chunks(relid oid, config jsonb) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_agg(jsonb_build_object('chunks', t.chunks::bigint, 'chunk_key', t.key))
    FROM zerodb._chunk_tables(relid, coalesce(config ->> 'target_column', 'embedding')) AS t
    JOIN pg_class AS c ON c.oid = t.chunks JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_class AS s ON s.oid = relid
    WHERE CASE WHEN config ->> 'chunk_table' IS NULL THEN NOT zerodb._has_column(relid, coalesce(config ->> 'target_column', 'embedding'))
        ELSE config ->> 'chunk_table' IN (n.nspname || '.' || c.relname, format('%I.%I', n.nspname, c.relname))
            OR c.relnamespace = s.relnamespace AND config ->> 'chunk_table' IN (c.relname, quote_ident(c.relname)) END
$$;

-- The one that a hook uses; null where rows have one vector each. 22023 where it is not clear.
CREATE FUNCTION zerodb._chunks_of(relid oid, config jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found jsonb := zerodb._fitting_chunks(relid, config);
BEGIN
    IF found IS NULL AND config ->> 'chunk_table' IS NOT NULL THEN
        PERFORM zerodb._bad_embed(format('%s is no table of chunks of %s', quote_ident(config ->> 'chunk_table'), relid::regclass),
            format('Make one: SELECT zerodb.create_chunk_table(%L).', relid::regclass));
    ELSIF jsonb_array_length(found) > 1 THEN
        PERFORM zerodb._bad_embed(format('table %s has several tables of chunks', relid::regclass), 'Name one as "chunk_table".');
    END IF;
    RETURN found -> 0;
END
$$;

-- How a hook embeds a table in chunks; what _embed_plan answers then.
CREATE FUNCTION zerodb._chunk_plan(hook zerodb.zerodb_hooks, relid oid, args jsonb, found jsonb) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT zerodb._summary_source_columns(relid, hook.hook_config ->> 'content') || found || jsonb_build_object(
        'table', relid::regclass::text, 'key', to_jsonb(p.key), 'fields', zerodb._key_fields(relid, p.key, args ->> 'event_type'),
        'target', p.target, 'dimensions', zerodb._vector_dimensions(p.chunks, p.target),
        'model_column', zerodb._column_of(p.chunks, p.target || '_model', '{text}'),
        'heading_column', zerodb._column_of(p.chunks, 'heading', '{text}'),
        'copied', (SELECT coalesce(jsonb_agg(c.attname), '[]') FROM pg_attribute AS c
            WHERE c.attrelid = p.chunks AND c.attname IN ('user_id', 'project_id') AND NOT c.attisdropped AND zerodb._has_column(relid, c.attname)))
    FROM (SELECT zerodb._primary_key(relid) AS key, coalesce(hook.hook_config ->> 'target_column', 'embedding') AS target,
        (found ->> 'chunks')::oid AS chunks) AS p
$$;

-- The chunks c of the row that `k.key` names, as a condition.
CREATE FUNCTION zerodb._chunk_condition(plan jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT zerodb._key_condition((plan ->> 'chunks')::oid, plan -> 'chunk_key', 'c')
$$;

-- A row without its content, and the hashes of its chunks: $1 {key}. Null where it is gone.
CREATE FUNCTION zerodb._chunk_read(plan jsonb, relid oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT %s || jsonb_build_object(''chunks'', (SELECT coalesce(jsonb_agg(encode(c.%I, ''hex'') ORDER BY c.chunk), ''[]'') FROM %s AS c WHERE %s)) '
        'FROM (SELECT $1 -> ''key'' AS key) AS k JOIN %s AS t ON %s AND %s',
        zerodb._summary_row(plan), plan ->> 'target' || '_hash', (plan ->> 'chunks')::oid::regclass, zerodb._chunk_condition(plan),
        relid::regclass, zerodb._key_condition(relid, plan -> 'key'), zerodb._tenant_condition(plan))
$$;

-- Makes the chunks of a row those that are given, where its source is still the one that they were made of: args {key, source,
-- model, dimensions, partial, chunks: [{n, content, heading, hash, vector}]}, where vector is a place among the
-- vectors, or null for a chunk that is there. With `partial` they are added behind those that are there, for a later call that has
-- them all. The first statement locks the row against its writers for the time of the writing, so that of two that write chunks
-- of it the one with the old text finds none and gives up; the last says whether all chunks are there.
CREATE FUNCTION zerodb._chunk_write(plan jsonb, relid oid, args jsonb) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN (args ->> 'partial')::boolean THEN jsonb_build_array(s.lock, s.add)
        ELSE jsonb_build_array(s.lock) || zerodb._place_chunks(plan) || jsonb_build_array(s.add, s.count) END
    FROM (SELECT format('SELECT to_jsonb(true) FROM (SELECT $1 -> ''key'' AS key) AS k JOIN %s AS t ON %s AND %s AND %s = $1 ->> ''source'' FOR NO KEY UPDATE OF t',
            relid::regclass, zerodb._key_condition(relid, plan -> 'key'), zerodb._tenant_condition(plan), zerodb._summary_source(plan)) AS lock,
        zerodb._add_chunks(plan, relid) AS add,
        format('SELECT to_jsonb(count(*) = jsonb_array_length($1 -> ''chunks'')) FROM %s AS c, (SELECT $1 -> ''key'' AS key) AS k WHERE %s',
            (plan ->> 'chunks')::oid::regclass, zerodb._chunk_condition(plan)) AS count) AS s
$$;

-- Statements that remove the chunks that are not wanted, and give the others their numbers: of two that are equal, the first is the
-- first. Only those whose number changes are written, by way of negative ones, which no chunk has.
CREATE FUNCTION zerodb._place_chunks(plan jsonb) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_array(
        format('DELETE FROM %1$s AS c USING (SELECT $1 -> ''key'' AS key) AS k, %2$s WHERE %3$s AND c.chunk = p.chunk AND p.n IS NULL',
            b.chunks, b.paired, b.of_row),
        format('UPDATE %1$s AS c SET chunk = -1 - p.n FROM (SELECT $1 -> ''key'' AS key) AS k, %2$s WHERE %3$s AND c.chunk = p.chunk AND p.n <> p.chunk',
            b.chunks, b.paired, b.of_row),
        format('UPDATE %1$s AS c SET chunk = -1 - c.chunk FROM (SELECT $1 -> ''key'' AS key) AS k WHERE %2$s AND c.chunk < 0',
            b.chunks, b.of_row))
    FROM (SELECT a.chunks, a.of_row, format('(SELECT p.chunk, w.n FROM '
            '(SELECT c.chunk, encode(c.%1$I, ''hex'') AS hash, row_number() OVER (PARTITION BY c.%1$I ORDER BY c.chunk) AS nth '
            'FROM %2$s AS c, (SELECT $1 -> ''key'' AS key) AS k WHERE %3$s) AS p '
            'LEFT JOIN (SELECT e ->> ''hash'' AS hash, (e ->> ''n'')::integer AS n, row_number() OVER (PARTITION BY e ->> ''hash'' ORDER BY (e ->> ''n'')::integer) AS nth '
            'FROM jsonb_array_elements($1 -> ''chunks'') AS e) AS w ON w.hash = p.hash AND w.nth = p.nth) AS p',
            plan ->> 'target' || '_hash', a.chunks, a.of_row) AS paired
        FROM (SELECT (plan ->> 'chunks')::oid::regclass AS chunks, zerodb._chunk_condition(plan) AS of_row) AS a) AS b
$$;

-- A statement that adds the chunks that have a vector.
CREATE FUNCTION zerodb._add_chunks(plan jsonb, relid oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('INSERT INTO %1$s (%2$s, chunk, content, %3$I, %4$I%5$s%6$s) '
        'SELECT %7$s, (e ->> ''n'')::integer + b.behind, e ->> ''content'', '
        '($2)[(e ->> ''vector'')::integer * b.size + 1 : ((e ->> ''vector'')::integer + 1) * b.size]::%8$s, decode(e ->> ''hash'', ''hex'')%9$s%10$s '
        'FROM (SELECT $1 -> ''key'' AS key) AS k JOIN %11$s AS t ON %12$s '
        'CROSS JOIN LATERAL (SELECT ($1 ->> ''dimensions'')::integer AS size, CASE WHEN ($1 ->> ''partial'')::boolean '
        'THEN (SELECT coalesce(max(c.chunk) + 1, 0) FROM %1$s AS c WHERE %13$s) ELSE 0 END AS behind) AS b '
        'CROSS JOIN jsonb_array_elements($1 -> ''chunks'') AS e WHERE e ->> ''vector'' IS NOT NULL',
        (plan ->> 'chunks')::oid::regclass, o.names, plan ->> 'target', plan ->> 'target' || '_hash',
        CASE WHEN plan ->> 'model_column' IS NULL THEN '' ELSE format(', %I', plan ->> 'model_column') END,
        CASE WHEN plan ->> 'heading_column' IS NULL THEN '' ELSE format(', %I', plan ->> 'heading_column') END,
        s.names, zerodb._vector_type((plan ->> 'chunks')::oid, plan ->> 'target'),
        CASE WHEN plan ->> 'model_column' IS NULL THEN '' ELSE ', $1 ->> ''model''' END,
        CASE WHEN plan ->> 'heading_column' IS NULL THEN '' ELSE ', e ->> ''heading''' END,
        relid::regclass, zerodb._key_condition(relid, plan -> 'key'), zerodb._chunk_condition(plan))
    FROM (SELECT string_agg(format('%I', c), ', ' ORDER BY n) AS names
            FROM jsonb_array_elements_text((plan -> 'chunk_key') || (plan -> 'copied')) WITH ORDINALITY AS u (c, n)) AS o,
        (SELECT string_agg(format('t.%I', c), ', ' ORDER BY n) AS names
            FROM jsonb_array_elements_text((plan -> 'key') || (plan -> 'copied')) WITH ORDINALITY AS u (c, n)) AS s
$$;

-- The next keys in their order: $1 {after, limit, missing}. With `missing`, only rows without chunks.
CREATE FUNCTION zerodb._chunk_page(plan jsonb, relid oid, args jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT coalesce(jsonb_agg(p.key ORDER BY p.n), ''[]'') FROM (SELECT row_number() OVER (ORDER BY %1$s) AS n, jsonb_build_array(%2$s) AS key '
        'FROM %3$s AS t WHERE %4$s AND %5$s AND %6$s ORDER BY %1$s LIMIT ($1 ->> ''limit'')::integer) AS p',
        b.columns, b.texts, relid::regclass, b.condition, zerodb._tenant_condition(plan),
        CASE WHEN (args ->> 'missing')::boolean THEN 'NOT ' || zerodb._has_chunks(plan) ELSE 'true' END)
    FROM zerodb._page_bounds(relid, plan -> 'key', args) AS b
$$;

-- Whether the row t has chunks, as a condition.
CREATE FUNCTION zerodb._has_chunks(plan jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('EXISTS (SELECT FROM %s AS c WHERE %s)', (plan ->> 'chunks')::oid::regclass, string_agg(format('c.%I %s t.%I', ours, zerodb._key_operator((plan ->> 'chunks')::oid, a.attnum, 3), theirs), ' AND '))
    FROM ROWS FROM (jsonb_array_elements_text(plan -> 'chunk_key'), jsonb_array_elements_text(plan -> 'key')) AS u (ours, theirs)
    JOIN pg_attribute AS a ON a.attrelid = (plan ->> 'chunks')::oid AND a.attname = ours AND NOT a.attisdropped
$$;

-- How many rows there are, and how many have chunks.
CREATE FUNCTION zerodb._chunk_count(plan jsonb, relid oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT jsonb_build_object(''total'', count(*), ''embedded'', count(*) FILTER (WHERE %s)) FROM %s AS t WHERE %s',
        zerodb._has_chunks(plan), relid::regclass, zerodb._tenant_condition(plan))
$$;

-- API: public. Of a table that it made before, it lets the chunks follow a change of their row's key, which would fail the writer.
CREATE FUNCTION zerodb.create_chunk_table(source regclass, chunk_table name DEFAULT NULL, dimensions integer DEFAULT 1024) RETURNS regclass
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    space name := (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = source);
    name name := coalesce(chunk_table, (SELECT c.relname || '_chunks' FROM pg_class AS c WHERE c.oid = source));
    key text[] := zerodb._primary_key(source);
    defined text;
    ours text;
    theirs text;
    reference text;
    known record;
BEGIN
    IF cardinality(key) = 0 THEN
        PERFORM zerodb._bad_embed(format('table %s has no primary key', source), 'Add one: rows are named by it.');
    END IF;
    IF dimensions IS NULL OR dimensions NOT BETWEEN 1 AND 16000 THEN
        PERFORM zerodb._bad_embed(format('invalid dimensions %s', coalesce(dimensions::text, 'NULL')), 'Give the dimensions of your embedding model, 1 to 16000.');
    END IF;
    SELECT string_agg(format('%I %s NOT NULL', 'source_' || a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY n),
        string_agg(format('%I', 'source_' || a.attname), ', ' ORDER BY n), string_agg(format('%I', a.attname), ', ' ORDER BY n)
    INTO defined, ours, theirs
    FROM unnest(key) WITH ORDINALITY AS u (column_name, n) JOIN pg_attribute AS a ON a.attrelid = source AND a.attname = u.column_name;
    reference := format('FOREIGN KEY (%s) REFERENCES %s(%s) ON UPDATE CASCADE ON DELETE CASCADE', ours, source, theirs);
    SELECT c.conname, pg_get_constraintdef(c.oid) = reference AS follows INTO known
    FROM zerodb._chunk_tables(source, 'embedding') AS t JOIN pg_constraint AS c ON c.conrelid = t.chunks AND c.confrelid = source AND c.contype = 'f'
    WHERE t.chunks = to_regclass(format('%I.%I', space, name)) AND coalesce(zerodb._vector_dimensions(t.chunks, 'embedding'), dimensions) = dimensions
        AND pg_get_constraintdef(c.oid) IN (reference, replace(reference, ' ON UPDATE CASCADE', ''));
    IF NOT FOUND THEN
        EXECUTE format('CREATE TABLE %I.%I (%s, chunk integer NOT NULL, content text NOT NULL, heading text, %s, embedding_model text, '
            'embedding_hash bytea, PRIMARY KEY (%s, chunk), %s)',
            space, name, defined, zerodb._embedding_column(space, 'embedding', dimensions), ours, reference);
    ELSIF NOT known.follows THEN
        EXECUTE format('ALTER TABLE %1$I.%2$I DROP CONSTRAINT %3$I, ADD CONSTRAINT %3$I %4$s', space, name, known.conname, reference);
    END IF;
    RETURN format('%I.%I', space, name)::regclass;
END
$$;
COMMENT ON FUNCTION zerodb.create_chunk_table(regclass, name, integer) IS 'Makes the table <source>_chunks, in which auto_embed keeps the parts of long texts with their vectors; chunks go with their row, and follow a change of its key. Called again, it gives an older table that. 22023 for a table without a primary key';
