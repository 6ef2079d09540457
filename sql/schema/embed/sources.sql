-- What a handler reads of a row, whose the row is, and the columns that hold vectors.

-- The longest text that is embedded, in bytes. A model's input is far shorter; what is longer is an error of its row.
CREATE FUNCTION zerodb._embed_limit() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT 16 * 1024 * 1024 $$;

-- Whether a table has such a column, of a type that holds vectors.
CREATE FUNCTION zerodb._is_vector_column(relid oid, column_name text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
        WHERE a.attrelid = relid AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
            AND t.typname IN ('vector', 'halfvec', '_float4'))
$$;

CREATE FUNCTION zerodb._source_size(columns jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(format('coalesce(octet_length(t.%I::text), 0)::bigint', name), ' + ')
        FROM jsonb_array_elements_text(columns) AS c (name)
$$;

CREATE FUNCTION zerodb._source_hash(columns jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('CASE WHEN %s <= %s THEN encode(sha256(convert_to(ROW(%s)::text, ''UTF8'')), ''hex'') END',
        zerodb._source_size(columns), zerodb._embed_limit(), string_agg(format('t.%I', name), ', '))
    FROM jsonb_array_elements_text(columns) AS c (name)
$$;

-- Whose rows a call may touch. Where the acting role passes row-level security, the tenant is asked for here.
CREATE FUNCTION zerodb._tenant_condition(plan jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN plan ->> 'user_id' IS NULL OR plan ->> 'user_column' IS NULL THEN 'true'
        ELSE format('t.%I::text = %L', plan ->> 'user_column', plan ->> 'user_id') END
$$;

-- The column of a watched table that names the tenant, as the watch has it whose events a hook wants; null where there
-- is none.
CREATE FUNCTION zerodb._tenant_column(relid oid, pattern text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT w.mapping ->> 'user_id' FROM zerodb._watch_trigger AS w
    WHERE w.trigger_id = ANY (zerodb._watches_of(relid, pattern)) AND jsonb_typeof(w.mapping -> 'user_id') = 'string'
    ORDER BY w.trigger_id LIMIT 1
$$;

-- 22023 with the words that the hook's owner needs. By the detail the worker knows that waiting does not help.
CREATE FUNCTION zerodb._bad_embed(message text, hint text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RAISE EXCEPTION '%', message USING ERRCODE = '22023', DETAIL = 'The hook and the table do not fit.', HINT = hint; END $$;

-- The dimensions that a column of vectors holds; null where it holds any.
CREATE FUNCTION zerodb._vector_dimensions(relid oid, column_name text) RETURNS integer
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN a.atttypid = 'real[]'::regtype THEN
            (SELECT max(substring(split_part(pg_get_constraintdef(c.oid),
                'cardinality(' || quote_ident(column_name) || ') = ', 2) FROM '^[0-9]+')::integer)
            FROM pg_constraint AS c WHERE c.conrelid = a.attrelid AND c.contype = 'c')
        ELSE nullif(a.atttypmod, -1) END
    FROM pg_attribute AS a WHERE a.attrelid = relid AND a.attname = column_name AND NOT a.attisdropped
$$;

-- The type of a column of vectors, quoted.
CREATE FUNCTION zerodb._vector_type(relid oid, column_name text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute AS a
    WHERE a.attrelid = relid AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
$$;
