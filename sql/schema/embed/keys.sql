-- The keys of users' tables: how a row of any table is named, compared and paged.

-- The operator of a B-tree strategy (1 is <, 3 is =, 4 is >=, 5 is >) that compares a column of a key: that of the
-- primary key's index, else of the default for its type. Qualified, because types bring operators of their own, which
-- lie where the type does.
CREATE FUNCTION zerodb._key_operator(relid oid, attnum smallint, strategy integer) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE base AS (
        SELECT t.oid, t.typtype, t.typbasetype, t.typcategory FROM pg_attribute AS a
            JOIN pg_type AS t ON t.oid = a.atttypid
        WHERE a.attrelid = relid AND a.attnum = _key_operator.attnum
        UNION ALL SELECT t.oid, t.typtype, t.typbasetype, t.typcategory FROM base AS b
            JOIN pg_type AS t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
    ), class AS (
        SELECT k.opclass AS oid, 1 AS rank
        FROM pg_index AS i CROSS JOIN LATERAL unnest(i.indkey::smallint[], i.indclass::oid[]) AS k (attnum, opclass)
        WHERE i.indrelid = relid AND i.indisprimary AND k.attnum = _key_operator.attnum
        UNION ALL
        SELECT c.oid, CASE WHEN c.opcintype = b.oid THEN 2 ELSE 3 END
        FROM base AS b JOIN pg_opclass AS c ON c.opcdefault AND c.opcintype IN (b.oid, CASE
            WHEN b.typcategory = 'A' THEN 'anyarray'::regtype WHEN b.typtype = 'e' THEN 'anyenum'::regtype
                WHEN b.typtype = 'r' THEN 'anyrange'::regtype
            WHEN b.typtype = 'm' THEN 'anymultirange'::regtype WHEN b.typtype = 'c' THEN 'record'::regtype
            WHEN b.oid = 'varchar'::regtype THEN 'text'::regtype END)
        WHERE b.typtype <> 'd'
    )
    SELECT coalesce((
        SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
        FROM class AS k JOIN pg_opclass AS c ON c.oid = k.oid
            JOIN pg_am AS m ON m.oid = c.opcmethod AND m.amname = 'btree'
        JOIN pg_amop AS p ON p.amopfamily = c.opcfamily AND p.amoplefttype = c.opcintype
            AND p.amoprighttype = c.opcintype AND p.amopstrategy = strategy
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
        UNION ALL SELECT t.oid, t.typtype, t.typbasetype, t.typcategory FROM base AS b
            JOIN pg_type AS t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
    )
    SELECT b.typcategory = 'A' OR b.typtype = 'c' FROM base AS b WHERE b.typtype <> 'd'
$$;

-- The value of a column of a key that stands in `name`, a text, as an expression; and, of the row t, that text.
CREATE FUNCTION zerodb._key_value(type_oid oid, modifier integer, name text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format(CASE WHEN zerodb._is_named_by_json(type_oid)
        THEN '(SELECT r.v FROM jsonb_to_record(jsonb_build_object(''v'', (%s)::jsonb)) AS r (v %s))'
            ELSE '(%s)::%s' END,
        name, format_type(type_oid, modifier))
$$;

CREATE FUNCTION zerodb._key_text(relid oid, column_name text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format(CASE WHEN zerodb._is_named_by_json(a.atttypid) THEN 'to_jsonb(t.%I)::text'
        ELSE 't.%I::text' END, a.attname)
    FROM pg_attribute AS a WHERE a.attrelid = relid AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
$$;

-- The key of a row of the table called `alias` as the expression of a join with `k.key`, and the columns of the source
-- as one hash.
CREATE FUNCTION zerodb._key_condition(relid oid, key_columns jsonb, alias text DEFAULT 't') RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(format('%I.%I %s %s', alias, a.attname, zerodb._key_operator(relid, a.attnum, 3),
        zerodb._key_value(a.atttypid, a.atttypmod, format('k.key ->> %s', n - 1))), ' AND ' ORDER BY n)
    FROM jsonb_array_elements_text(key_columns) WITH ORDINALITY AS c (name, n)
    JOIN pg_attribute AS a ON a.attrelid = relid AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped
$$;

-- The order of a table's key, the key as texts, and the condition that a row comes after the key $1.after, if any.
-- Columns that are compared by the same operator are compared as one, for the sake of the index; others one after
-- another.
CREATE FUNCTION zerodb._page_bounds(relid oid, key_columns jsonb, args jsonb, OUT columns text, OUT texts text,
    OUT condition text)
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
        string_agg(zerodb._key_text(relid, p.attname), ', ' ORDER BY p.n), string_agg(p.own, ', ' ORDER BY p.n),
            string_agg(p.bound, ', ' ORDER BY p.n)
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
    SELECT c.n, a.attname, format('t.%I', a.attname),
        zerodb._key_value(a.atttypid, a.atttypmod, format('$1 -> ''after'' ->> %s', c.n - 1)),
        zerodb._key_operator(relid, a.attnum, 1), zerodb._key_operator(relid, a.attnum, 3),
            zerodb._key_operator(relid, a.attnum, 4),
        zerodb._key_operator(relid, a.attnum, 5)
    FROM jsonb_array_elements_text(key_columns) WITH ORDINALITY AS c (name, n)
    JOIN pg_attribute AS a ON a.attrelid = relid AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped
$$;
