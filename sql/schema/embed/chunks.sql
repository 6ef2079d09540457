-- auto_embed in chunks: a text that is longer than a model's input, or a file, has a vector for each of its parts. They
-- lie in a table of the user's that refers to the row by a foreign key, so that they go with it. What is read of the
-- source is as in summarize/summarize.sql; the statements keep to the rules of embed.sql.

-- The tables that can hold the chunks of a table's rows, with the columns that name the row, in the order of its
-- primary key. They belong to the same role: a stranger's trigger must not run with its rights.
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
        AND zerodb._column_of(c.conrelid, 'chunk', '{integer}') IS NOT NULL
            AND zerodb._column_of(c.conrelid, 'content', '{text}') IS NOT NULL
        AND zerodb._column_of(c.conrelid, target || '_hash', '{bytea}') IS NOT NULL
        AND zerodb._is_vector_column(c.conrelid, target)
$$;

-- Those that a hook may use: the one that its config names, else all of a table that has no column for a vector of its
-- own. Null where there is none. It raises nothing, so that a hook that does not fit stops no look at all hooks.
CREATE FUNCTION zerodb._fitting_chunks(relid oid, config jsonb) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_agg(jsonb_build_object('chunks', t.chunks::bigint, 'chunk_key', t.key))
    FROM zerodb._chunk_tables(relid, coalesce(config ->> 'target_column', 'embedding')) AS t
    JOIN pg_class AS c ON c.oid = t.chunks JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_class AS s ON s.oid = relid
    WHERE CASE WHEN config ->> 'chunk_table' IS NULL
        THEN NOT zerodb._has_column(relid, coalesce(config ->> 'target_column', 'embedding'))
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
        PERFORM zerodb._bad_embed(format('%s is no table of chunks of %s', quote_ident(config ->> 'chunk_table'),
            relid::regclass),
            format('Make one: SELECT zerodb.create_chunk_table(%L).', relid::regclass));
    ELSIF jsonb_array_length(found) > 1 THEN
        PERFORM zerodb._bad_embed(format('table %s has several tables of chunks', relid::regclass),
            'Name one as "chunk_table".');
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
        'table', relid::regclass::text, 'key', to_jsonb(p.key), 'fields',
            zerodb._key_fields(relid, p.key, args ->> 'event_type'),
        'target', p.target, 'dimensions', zerodb._vector_dimensions(p.chunks, p.target),
        'model_column', zerodb._column_of(p.chunks, p.target || '_model', '{text}'),
        'heading_column', zerodb._column_of(p.chunks, 'heading', '{text}'),
        'copied', (SELECT coalesce(jsonb_agg(c.attname), '[]') FROM pg_attribute AS c
            WHERE c.attrelid = p.chunks AND c.attname IN ('user_id', 'project_id') AND NOT c.attisdropped
                AND zerodb._has_column(relid, c.attname)))
    FROM (SELECT zerodb._primary_key(relid) AS key,
        coalesce(hook.hook_config ->> 'target_column', 'embedding') AS target,
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
    SELECT format($q$
        SELECT %s
            || jsonb_build_object('chunks',
                (SELECT coalesce(jsonb_agg(encode(c.%I, 'hex') ORDER BY c.chunk), '[]') FROM %s AS c WHERE %s))
        FROM (SELECT $1 -> 'key' AS key) AS k
        JOIN %s AS t ON %s AND %s
        $q$,
        zerodb._summary_row(plan), plan ->> 'target' || '_hash', (plan ->> 'chunks')::oid::regclass,
            zerodb._chunk_condition(plan),
        relid::regclass, zerodb._key_condition(relid, plan -> 'key'), zerodb._tenant_condition(plan))
$$;

-- The next keys in their order: $1 {after, limit, missing}. With `missing`, only rows without chunks.
CREATE FUNCTION zerodb._chunk_page(plan jsonb, relid oid, args jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($q$
        SELECT coalesce(jsonb_agg(p.key ORDER BY p.n), '[]')
        FROM (SELECT row_number() OVER (ORDER BY %1$s) AS n, jsonb_build_array(%2$s) AS key
            FROM %3$s AS t
            WHERE %4$s AND %5$s AND %6$s
            ORDER BY %1$s
            LIMIT ($1 ->> 'limit')::integer) AS p
        $q$,
        b.columns, b.texts, relid::regclass, b.condition, zerodb._tenant_condition(plan),
        CASE WHEN (args ->> 'missing')::boolean THEN 'NOT ' || zerodb._has_chunks(plan) ELSE 'true' END)
    FROM zerodb._page_bounds(relid, plan -> 'key', args) AS b
$$;

-- Whether the row t has chunks, as a condition.
CREATE FUNCTION zerodb._has_chunks(plan jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('EXISTS (SELECT FROM %s AS c WHERE %s)', (plan ->> 'chunks')::oid::regclass,
        string_agg(format('c.%I %s t.%I', ours, zerodb._key_operator((plan ->> 'chunks')::oid, a.attnum, 3), theirs),
        ' AND '))
    FROM ROWS FROM (jsonb_array_elements_text(plan -> 'chunk_key'),
        jsonb_array_elements_text(plan -> 'key')) AS u (ours, theirs)
    JOIN pg_attribute AS a ON a.attrelid = (plan ->> 'chunks')::oid AND a.attname = ours AND NOT a.attisdropped
$$;

-- How many rows there are, and how many have chunks.
CREATE FUNCTION zerodb._chunk_count(plan jsonb, relid oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($q$
        SELECT jsonb_build_object('total', count(*), 'embedded', count(*) FILTER (WHERE %s)) FROM %s AS t WHERE %s
        $q$,
        zerodb._has_chunks(plan), relid::regclass, zerodb._tenant_condition(plan))
$$;
