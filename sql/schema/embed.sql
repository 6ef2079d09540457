-- auto_embed: what it reads of a user's table and writes back. Statements are made here with the rights of the extension's owner, of
-- the hook's config and the catalog: the worker names rows and gives values, and nothing else. A statement is then run as a role
-- that may use the table (see owner.sql); it calls nothing of the extension's. Its parameters are $1, what the worker gave, and $2, a list of
-- vectors, one after another. A row is named by its key, the values of the primary key as texts, in its order.

-- The hashes of what was embedded, for tables that have no columns <target>_hash and <target>_model of their own.
CREATE TABLE zerodb.embedding (
    hook_id uuid NOT NULL REFERENCES zerodb.zerodb_hooks ON DELETE CASCADE,
    relid oid NOT NULL,
    key jsonb NOT NULL,
    hash bytea NOT NULL,
    model text NOT NULL,
    PRIMARY KEY (hook_id, relid, key)
);
COMMENT ON TABLE zerodb.embedding IS 'What auto_embed made each vector from, where the table itself has no column for it';

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
        WHERE a.attrelid = relid AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped AND t.typname IN ('vector', 'halfvec', '_float4'))
$$;

-- The operator of a B-tree strategy (1 is <, 3 is =, 4 is >=, 5 is >) that compares a column of a key: that of the primary key's index, else of the
-- default for its type. Qualified, because types bring operators of their own, which lie where the type does.
CREATE FUNCTION zerodb._key_operator(relid oid, attnum smallint, strategy integer) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE base AS (
        SELECT t.oid, t.typtype, t.typbasetype, t.typcategory FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
        WHERE a.attrelid = relid AND a.attnum = _key_operator.attnum
        UNION ALL SELECT t.oid, t.typtype, t.typbasetype, t.typcategory FROM base AS b JOIN pg_type AS t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
    ), class AS (
        SELECT k.opclass AS oid, 1 AS rank
        FROM pg_index AS i CROSS JOIN LATERAL unnest(i.indkey::smallint[], i.indclass::oid[]) AS k (attnum, opclass)
        WHERE i.indrelid = relid AND i.indisprimary AND k.attnum = _key_operator.attnum
        UNION ALL
        SELECT c.oid, CASE WHEN c.opcintype = b.oid THEN 2 ELSE 3 END
        FROM base AS b JOIN pg_opclass AS c ON c.opcdefault AND c.opcintype IN (b.oid, CASE
            WHEN b.typcategory = 'A' THEN 'anyarray'::regtype WHEN b.typtype = 'e' THEN 'anyenum'::regtype WHEN b.typtype = 'r' THEN 'anyrange'::regtype
            WHEN b.typtype = 'm' THEN 'anymultirange'::regtype WHEN b.typtype = 'c' THEN 'record'::regtype
            WHEN b.oid = 'varchar'::regtype THEN 'text'::regtype END)
        WHERE b.typtype <> 'd'
    )
    SELECT coalesce((
        SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
        FROM class AS k JOIN pg_opclass AS c ON c.oid = k.oid JOIN pg_am AS m ON m.oid = c.opcmethod AND m.amname = 'btree'
        JOIN pg_amop AS p ON p.amopfamily = c.opcfamily AND p.amoplefttype = c.opcintype AND p.amoprighttype = c.opcintype AND p.amopstrategy = strategy
        JOIN pg_operator AS o ON o.oid = p.amopopr JOIN pg_namespace AS n ON n.oid = o.oprnamespace
        ORDER BY k.rank LIMIT 1),
        format('OPERATOR(pg_catalog.%s)', CASE strategy WHEN 1 THEN '<' WHEN 3 THEN '=' WHEN 4 THEN '>=' ELSE '>' END))
$$;

-- Whether values of a type are named by their JSON, and not by their text: arrays and rows, as in the data of an event.
CREATE FUNCTION zerodb._is_named_by_json(type_oid oid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE base AS (
        SELECT t.oid, t.typtype, t.typbasetype, t.typcategory FROM pg_type AS t WHERE t.oid = type_oid
        UNION ALL SELECT t.oid, t.typtype, t.typbasetype, t.typcategory FROM base AS b JOIN pg_type AS t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
    )
    SELECT b.typcategory = 'A' OR b.typtype = 'c' FROM base AS b WHERE b.typtype <> 'd'
$$;

-- The value of a column of a key that stands in `name`, a text, as an expression; and, of the row t, that text.
CREATE FUNCTION zerodb._key_value(type_oid oid, modifier integer, name text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format(CASE WHEN zerodb._is_named_by_json(type_oid)
        THEN '(SELECT r.v FROM jsonb_to_record(jsonb_build_object(''v'', (%s)::jsonb)) AS r (v %s))' ELSE '(%s)::%s' END,
        name, format_type(type_oid, modifier))
$$;

CREATE FUNCTION zerodb._key_text(relid oid, column_name text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format(CASE WHEN zerodb._is_named_by_json(a.atttypid) THEN 'to_jsonb(t.%I)::text' ELSE 't.%I::text' END, a.attname)
    FROM pg_attribute AS a WHERE a.attrelid = relid AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
$$;

-- The key of a row of the table called `alias` as the expression of a join with `k.key`, and the columns of the source as one hash.
CREATE FUNCTION zerodb._key_condition(relid oid, key_columns jsonb, alias text DEFAULT 't') RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(format('%I.%I %s %s', alias, a.attname, zerodb._key_operator(relid, a.attnum, 3),
        zerodb._key_value(a.atttypid, a.atttypmod, format('k.key ->> %s', n - 1))), ' AND ' ORDER BY n)
    FROM jsonb_array_elements_text(key_columns) WITH ORDINALITY AS c (name, n)
    JOIN pg_attribute AS a ON a.attrelid = relid AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped
$$;

CREATE FUNCTION zerodb._source_size(columns jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(format('coalesce(octet_length(t.%I::text), 0)::bigint', name), ' + ') FROM jsonb_array_elements_text(columns) AS c (name)
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

-- The column of a watched table that names the tenant, as the watch has it whose events a hook wants; null where there is none.
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

-- The columns that a hook's vectors are made of. Those of a template are found by the worker, which parses it; here each must be a word
-- of it, so that no other column is ever read. 42501 for one that is not.
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

-- How a hook embeds a table: args {event_type, columns}, of which the second is asked for where the hook has a template. With
-- `chunks` the answer is that of chunks.sql.
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
        PERFORM zerodb._bad_embed(format('table %s has no column %s', name, quote_ident(wrong)), 'Correct "content" or "template".');
    END IF;
    RETURN jsonb_build_object(
        'table', name, 'key', to_jsonb(key), 'fields', zerodb._key_fields(relid, key, args ->> 'event_type'), 'columns', columns,
        'target', target, 'dimensions', zerodb._vector_dimensions(relid, target),
        'model_column', zerodb._column_of(relid, target || '_model', '{text}'),
        'hash_column', zerodb._column_of(relid, target || '_hash', '{bytea}'));
END
$$;

-- The dimensions that a column of vectors holds; null where it holds any.
CREATE FUNCTION zerodb._vector_dimensions(relid oid, column_name text) RETURNS integer
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN a.atttypid = 'real[]'::regtype THEN
            (SELECT max(substring(split_part(pg_get_constraintdef(c.oid), 'cardinality(' || quote_ident(column_name) || ') = ', 2) FROM '^[0-9]+')::integer)
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

-- The columns of a row that embedding needs, as the expression of a select list.
CREATE FUNCTION zerodb._embed_row(plan jsonb, relid oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($q$jsonb_build_object('key', jsonb_build_array(%s), 'source', %s, 'size', %s,
        'values', CASE WHEN %s <= %s THEN jsonb_build_object(%s) END, 'embedded', t.%I IS NOT NULL,
        'hash', %s, 'model', %s)$q$,
        (SELECT string_agg(zerodb._key_text(relid, c), ', ' ORDER BY n) FROM jsonb_array_elements_text(plan -> 'key') WITH ORDINALITY AS u (c, n)),
        zerodb._source_hash(plan -> 'columns'), zerodb._source_size(plan -> 'columns'), zerodb._source_size(plan -> 'columns'), zerodb._embed_limit(),
        (SELECT string_agg(format('%L, t.%I', c, c), ', ') FROM jsonb_array_elements_text(plan -> 'columns') AS c),
        plan ->> 'target',
        CASE WHEN plan ->> 'hash_column' IS NULL THEN 'NULL' ELSE format('encode(t.%I, ''hex'')', plan ->> 'hash_column') END,
        CASE WHEN plan ->> 'model_column' IS NULL THEN 'NULL' ELSE format('t.%I', plan ->> 'model_column') END)
$$;

-- The order of a table's key, the key as texts, and the condition that a row comes after the key $1.after, if any. Columns that are
-- compared by the same operator are compared as one, for the sake of the index; others one after another.
CREATE FUNCTION zerodb._page_bounds(relid oid, key_columns jsonb, args jsonb, OUT columns text, OUT texts text, OUT condition text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part record;
    operators text[];
    ours text;
    bounds text;
BEGIN
    SELECT array_agg(DISTINCT p.above), string_agg(format('%s USING %s', p.own, p.below), ', ' ORDER BY p.n),
        string_agg(zerodb._key_text(relid, p.attname), ', ' ORDER BY p.n), string_agg(p.own, ', ' ORDER BY p.n), string_agg(p.bound, ', ' ORDER BY p.n)
    INTO operators, columns, texts, ours, bounds FROM zerodb._page_columns(relid, key_columns) AS p;
    IF args ->> 'after' IS NULL THEN
        condition := 'true';
    ELSIF cardinality(operators) = 1 THEN
        condition := format('(%s) %s (%s)', ours, operators[1], bounds);
    ELSE
        FOR part IN SELECT p.* FROM zerodb._page_columns(relid, key_columns) AS p ORDER BY p.n DESC LOOP
            condition := format('(%s %s %s%s)', part.own, part.above, part.bound, CASE WHEN condition IS NULL THEN ''
                ELSE format(' OR %s %s %s AND %s', part.own, part.same, part.bound, condition) END);
        END LOOP;
        -- For the index: of such a condition as a whole it can use nothing.
        SELECT format('%s %s %s AND %s', p.own, p."from", p.bound, condition) INTO condition
        FROM zerodb._page_columns(relid, key_columns) AS p WHERE p.n = 1;
    END IF;
END
$$;

-- The columns of a key with their bounds in $1.after, and the operators that compare them.
CREATE FUNCTION zerodb._page_columns(relid oid, key_columns jsonb)
RETURNS TABLE (n bigint, attname name, own text, bound text, below text, same text, "from" text, above text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.n, a.attname, format('t.%I', a.attname), zerodb._key_value(a.atttypid, a.atttypmod, format('$1 -> ''after'' ->> %s', c.n - 1)),
        zerodb._key_operator(relid, a.attnum, 1), zerodb._key_operator(relid, a.attnum, 3), zerodb._key_operator(relid, a.attnum, 4),
        zerodb._key_operator(relid, a.attnum, 5)
    FROM jsonb_array_elements_text(key_columns) WITH ORDINALITY AS c (name, n)
    JOIN pg_attribute AS a ON a.attrelid = relid AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped
$$;

-- The rows of some keys: $1 {keys}. A key without a row is left out.
CREATE FUNCTION zerodb._embed_read(plan jsonb, relid oid, args jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT coalesce(jsonb_agg(jsonb_build_object(''n'', k.n - 1) || %s), ''[]'') '
        'FROM jsonb_array_elements($1 -> ''keys'') WITH ORDINALITY AS k (key, n) JOIN %s AS t ON %s AND %s',
        zerodb._embed_row(plan, relid), relid::regclass, zerodb._key_condition(relid, plan -> 'key'), zerodb._tenant_condition(plan))
$$;

-- The next rows in the order of the key: $1 {after, limit, missing}. With `missing`, only those without a vector.
CREATE FUNCTION zerodb._embed_page(plan jsonb, relid oid, args jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT coalesce(jsonb_agg(jsonb_build_object(''n'', p.n) || p.row ORDER BY p.n), ''[]'') '
        'FROM (SELECT row_number() OVER (ORDER BY %1$s) - 1 AS n, %2$s AS row FROM %3$s AS t WHERE %4$s AND %5$s AND %6$s '
        'ORDER BY %1$s LIMIT ($1 ->> ''limit'')::integer) AS p',
        b.columns, zerodb._embed_row(plan, relid), relid::regclass, b.condition, zerodb._tenant_condition(plan),
        CASE WHEN (args ->> 'missing')::boolean THEN format('t.%I IS NULL', plan ->> 'target') ELSE 'true' END)
    FROM zerodb._page_bounds(relid, plan -> 'key', args) AS b
$$;

-- Writes vectors to the rows whose source is still the one that was embedded: $1 {model, dimensions, rows: [{key, source, hash}]}.
-- Returns the places of the rows written.
CREATE FUNCTION zerodb._embed_write(plan jsonb, relid oid, args jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('WITH written AS (UPDATE %s AS t SET %I = ($2)[(k.n - 1) * k.size + 1 : k.n * k.size]::%s %s %s '
        'FROM (SELECT e -> ''key'' AS key, e ->> ''source'' AS source, e ->> ''hash'' AS hash, n::integer AS n, ($1 ->> ''dimensions'')::integer AS size '
        'FROM jsonb_array_elements($1 -> ''rows'') WITH ORDINALITY AS u (e, n)) AS k WHERE %s AND %s AND %s = k.source RETURNING k.n - 1 AS n) '
        'SELECT coalesce(jsonb_agg(w.n), ''[]'') FROM written AS w',
        relid::regclass, plan ->> 'target', zerodb._vector_type(relid, plan ->> 'target'),
        CASE WHEN plan ->> 'model_column' IS NULL THEN '' ELSE format(', %I = $1 ->> ''model''', plan ->> 'model_column') END,
        CASE WHEN plan ->> 'hash_column' IS NULL THEN '' ELSE format(', %I = decode(k.hash, ''hex'')', plan ->> 'hash_column') END,
        zerodb._key_condition(relid, plan -> 'key'), zerodb._tenant_condition(plan), zerodb._source_hash(plan -> 'columns'))
$$;

-- How many rows there are, and how many have a vector.
CREATE FUNCTION zerodb._embed_count(plan jsonb, relid oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SELECT jsonb_build_object(''total'', count(*), ''embedded'', count(t.%I)) FROM %s AS t WHERE %s',
        plan ->> 'target', relid::regclass, zerodb._tenant_condition(plan))
$$;
