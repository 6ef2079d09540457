-- auto_summarize: what it reads of a user's table and writes back, by the rules of embed/embed.sql, whose functions it
-- shares. It handles one row at a time: a file may be large.

-- What a summary was made from, for tables that have no column <target>_hash of their own.
CREATE TABLE zerodb.summary (
    hook_id uuid NOT NULL REFERENCES zerodb.zerodb_hooks ON DELETE CASCADE,
    relid oid NOT NULL,
    key jsonb NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (hook_id, relid, key)
);
COMMENT ON TABLE zerodb.summary IS
    'What auto_summarize made each summary from, where the table itself has no column for it';

-- Summaries of the parts of long texts. After an edit only the parts that changed are asked for again.
CREATE TABLE zerodb.summary_chunk (
    hook_id uuid NOT NULL REFERENCES zerodb.zerodb_hooks ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    hash bytea NOT NULL,
    summary text NOT NULL,
    PRIMARY KEY (hook_id, hash)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
COMMENT ON TABLE zerodb.summary_chunk IS 'Summaries of parts of texts, for 30 days; only the worker reads them';
COMMENT ON COLUMN zerodb.summary_chunk.hash IS 'Of the part, the model, the prompt and the tenant';
CREATE INDEX summary_chunk_created_at ON zerodb.summary_chunk (created_at);

-- The longest source that is read, in bytes.
CREATE FUNCTION zerodb._summary_limit() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT 64 * 1024 * 1024 $$;

-- A column of one of some types, or null.
CREATE FUNCTION zerodb._column_of(relid oid, column_name text, types regtype[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.attname FROM pg_attribute AS a
    WHERE a.attrelid = relid AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
        AND a.atttypid = ANY (types)
$$;

-- The fields of an event's data that hold the columns of a key, in their order.
CREATE FUNCTION zerodb._key_fields(relid oid, key_columns text[], event_type text) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_agg(f.field ORDER BY u.n)
    FROM unnest(key_columns) WITH ORDINALITY AS u (column_name, n)
    LEFT JOIN LATERAL (SELECT m.f ->> 0 AS field FROM zerodb._watch_trigger AS w
        CROSS JOIN LATERAL jsonb_array_elements(w.mapping -> 'fields') AS m (f)
        WHERE w.tgrelid = relid AND w.mapping ->> 'event' = event_type AND m.f -> 1 = to_jsonb(u.column_name)
            LIMIT 1) AS f ON true
$$;

-- Where the source lies: {text, bytes, uri, name, type}, of which the hook may name the first or the second. 22023
-- where there is neither.
CREATE FUNCTION zerodb._summary_source_columns(relid oid, content text) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    texts regtype[] := '{text,varchar}';
    wanted text := coalesce(content, 'content');
    bytes text := zerodb._column_of(relid, coalesce(content, 'content_bytes'), '{bytea}');
    plain text := CASE WHEN zerodb._has_column(relid, wanted) AND zerodb._column_of(relid, wanted, '{bytea}') IS NULL
        THEN wanted END;
BEGIN
    IF plain IS NULL AND bytes IS NULL THEN
        PERFORM zerodb._bad_embed(format('table %s has no column %s', relid::regclass, quote_ident(wanted)),
            'Name a column of text, or of the bytes of a file, as "content".');
    END IF;
    RETURN jsonb_build_object('text', plain, 'bytes', bytes,
        'uri', CASE WHEN content IS NULL THEN zerodb._column_of(relid, 'storage_uri', texts) END,
        'name', zerodb._column_of(relid, 'file_name', texts), 'type', zerodb._column_of(relid, 'content_type', texts));
END
$$;

-- How a hook summarises a table: args {event_type}.
CREATE FUNCTION zerodb._summary_plan(hook zerodb.zerodb_hooks, relid oid, args jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text := relid::regclass::text;
    key text[] := zerodb._primary_key(relid);
    target text := coalesce(hook.hook_config ->> 'target_column', 'summary');
    source jsonb := zerodb._summary_source_columns(relid, hook.hook_config ->> 'content');
BEGIN
    IF cardinality(key) = 0 THEN
        PERFORM zerodb._bad_embed(format('table %s has no primary key', name), 'Add one: rows are named by it.');
    END IF;
    IF zerodb._column_of(relid, target, '{text,varchar}') IS NULL THEN
        PERFORM zerodb._bad_embed(format('table %s has no column %s of text', name, quote_ident(target)),
            'Add one for the summary, or name another as "target_column".');
    END IF;
    IF target = source ->> 'text' THEN
        PERFORM zerodb._bad_embed(format('column %s of table %s cannot be its own summary', quote_ident(target), name),
            'Name two columns as "content" and "target_column".');
    END IF;
    RETURN source || jsonb_build_object(
        'table', name, 'key', to_jsonb(key), 'fields', zerodb._key_fields(relid, key, args ->> 'event_type'),
        'target', target,
        'target_limit', (SELECT a.atttypmod - 4 FROM pg_attribute AS a
            WHERE a.attrelid = relid AND a.attname = target AND a.atttypid = 'varchar'::regtype AND a.atttypmod > 4),
        'model_column', zerodb._column_of(relid, target || '_model', '{text}'),
        'hash_column', zerodb._column_of(relid, target || '_hash', '{bytea}'),
        'info_column', zerodb._column_of(relid, target || '_info', '{jsonb}'));
END
$$;

-- The source of a row as bytes: its text, else its file. {size} is asked for first: it reads no content.
CREATE FUNCTION zerodb._summary_bytes(plan jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('coalesce(%s)', concat_ws(', ',
        CASE WHEN plan ->> 'text' IS NOT NULL THEN format('convert_to(nullif(t.%I::text, ''''), ''UTF8'')',
            plan ->> 'text') END,
        CASE WHEN plan ->> 'bytes' IS NOT NULL THEN format('t.%I', plan ->> 'bytes') END))
$$;

CREATE FUNCTION zerodb._summary_size(plan jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('coalesce(%s, 0)', concat_ws(', ',
        CASE WHEN plan ->> 'text' IS NOT NULL THEN format('octet_length(nullif(t.%I::text, ''''))',
            plan ->> 'text') END,
        CASE WHEN plan ->> 'bytes' IS NOT NULL THEN format('octet_length(t.%I)', plan ->> 'bytes') END))
$$;

-- The hash of the source; empty where there is none, null where it is too long to be read.
CREATE FUNCTION zerodb._summary_source(plan jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('CASE WHEN %s <= %s THEN coalesce(encode(sha256(%s), ''hex''), '''') END',
        zerodb._summary_size(plan), zerodb._summary_limit(), zerodb._summary_bytes(plan))
$$;

-- What is known of the source of a row without reading it, as an expression.
CREATE FUNCTION zerodb._summary_row(plan jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('jsonb_build_object(''source'', %s, ''size'', %s, ''is_text'', %s, ''is_elsewhere'', %s, ''name'', %s, ''type'', %s)',
        zerodb._summary_source(plan), zerodb._summary_size(plan),
        CASE WHEN plan ->> 'text' IS NULL THEN 'false' ELSE format('t.%I::text <> ''''', plan ->> 'text') END,
        CASE WHEN plan ->> 'uri' IS NULL THEN 'false' ELSE format('t.%I IS NOT NULL', plan ->> 'uri') END,
        CASE WHEN plan ->> 'name' IS NULL THEN 'NULL' ELSE format('t.%I', plan ->> 'name') END,
        CASE WHEN plan ->> 'type' IS NULL THEN 'NULL' ELSE format('t.%I', plan ->> 'type') END)
$$;

-- A row without its content: $1 {key}. Null where it is gone.
CREATE FUNCTION zerodb._summary_read(plan jsonb, relid oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT %s || jsonb_build_object(''summarized'', t.%I <> '''', ''hash'', %s) '
        'FROM (SELECT $1 -> ''key'' AS key) AS k JOIN %s AS t ON %s AND %s',
        zerodb._summary_row(plan), plan ->> 'target',
        CASE WHEN plan ->> 'hash_column' IS NULL THEN 'NULL'
            ELSE format('encode(t.%I, ''hex'')', plan ->> 'hash_column') END,
        relid::regclass, zerodb._key_condition(relid, plan -> 'key'), zerodb._tenant_condition(plan))
$$;

-- A part of a row's source in base64: $1 {key, start, count}, in bytes. Null where the row is gone or has no source.
CREATE FUNCTION zerodb._summary_part(plan jsonb, relid oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($q$
        SELECT to_jsonb(encode(%s, 'base64')) FROM (SELECT $1 -> 'key' AS key) AS k JOIN %s AS t ON %s AND %s
        $q$,
        -- A file that is stored as it is, which compressed ones are, is then read in parts from the disk too.
        CASE WHEN plan ->> 'text' IS NULL THEN format('substring(t.%I %s)', plan ->> 'bytes', p.part)
            WHEN plan ->> 'bytes' IS NULL THEN format('substring(%s %s)', zerodb._summary_bytes(plan), p.part)
            ELSE format('CASE WHEN nullif(t.%I::text, '''') IS NULL THEN substring(t.%I %s) ELSE substring(%s %s) END',
                plan ->> 'text', plan ->> 'bytes', p.part, zerodb._summary_bytes(plan), p.part) END,
        relid::regclass, zerodb._key_condition(relid, plan -> 'key'), zerodb._tenant_condition(plan))
    FROM (SELECT 'FROM ($1 ->> ''start'')::integer + 1 FOR ($1 ->> ''count'')::integer' AS part) AS p
$$;

-- Writes a summary where the source is still the one that was summarised: $1 {key, source, summary, hash, model, info}.
-- Returns whether it did.
CREATE FUNCTION zerodb._summary_write(plan jsonb, relid oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($q$
        WITH written AS (UPDATE %s AS t
            SET %I = $1 ->> 'summary'%s%s%s
            FROM (SELECT $1 -> 'key' AS key) AS k
            WHERE %s AND %s AND %s = $1 ->> 'source'
            RETURNING 1)
        SELECT to_jsonb(EXISTS (SELECT FROM written))
        $q$,
        relid::regclass, plan ->> 'target',
        CASE WHEN plan ->> 'model_column' IS NULL THEN ''
            ELSE format(', %I = $1 ->> ''model''', plan ->> 'model_column') END,
        CASE WHEN plan ->> 'hash_column' IS NULL THEN ''
            ELSE format(', %I = decode($1 ->> ''hash'', ''hex'')', plan ->> 'hash_column') END,
        CASE WHEN plan ->> 'info_column' IS NULL THEN ''
            ELSE format(', %I = $1 -> ''info''', plan ->> 'info_column') END,
        zerodb._key_condition(relid, plan -> 'key'), zerodb._tenant_condition(plan), zerodb._summary_source(plan))
$$;

-- 42703 when an auto_summarize hook names a column that a table whose events it gets does not have; as
-- _check_embed_targets.
CREATE FUNCTION zerodb._check_summary_targets(role oid, event_type text, hook_name text, hook_config jsonb) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    watched oid;
    named text;
BEGIN
    IF hook_name <> 'auto_summarize' THEN
        RETURN;
    END IF;
    FOR watched, named IN SELECT DISTINCT w.tgrelid, c.named
        FROM zerodb._watch_trigger AS w CROSS JOIN unnest(ARRAY[hook_config ->> 'content',
            hook_config ->> 'target_column']) AS c (named)
        WHERE zerodb._may_name(w.arguments, event_type) AND event_type = w.mapping ->> 'event'
            AND w.operation IN ('insert', 'update') AND c.named IS NOT NULL
            AND pg_has_role(role, (SELECT r.relowner FROM pg_class AS r WHERE r.oid = w.tgrelid), 'USAGE')
    LOOP
        IF NOT zerodb._has_column(watched, named) THEN
            PERFORM zerodb._no_column(watched, named);
        END IF;
    END LOOP;
END
$$;
