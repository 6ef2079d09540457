-- Internal. The columns of a table that is watched, and which of them an event's fields come from.

-- The columns of the primary key, in its order; without those that its index only INCLUDEs.
CREATE FUNCTION zerodb._primary_key(target regclass) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(array_agg(a.attname::text ORDER BY k.n), '{}')
    FROM pg_index AS i
    CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, n)
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = target AND i.indisprimary AND k.n <= i.indnkeyatts
$$;

-- True for a column that a trigger sees: a virtual generated one (PostgreSQL 18) has no value there.
CREATE FUNCTION zerodb._has_column(target regclass, column_name text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM pg_attribute AS a
        WHERE a.attrelid = target AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
            AND a.attgenerated <> 'v')
$$;

-- 42703 with the nearest help.
CREATE FUNCTION zerodb._no_column(target regclass, column_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = target AND a.attname = column_name
        AND a.attgenerated = 'v')
    THEN
        RAISE EXCEPTION 'column % of table % is generated and not stored', quote_ident(column_name), target
            USING ERRCODE = '0A000', HINT = 'Make it STORED, or name a column that it is generated from.';
    END IF;
    RAISE EXCEPTION 'column % of table % does not exist', quote_ident(column_name), target
        USING ERRCODE = '42703',
              HINT = 'Its columns: ' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                  FROM pg_attribute AS a WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped) || '.';
END
$$;

-- Where one data field comes from: a column name, {"value": …}, or null when the table has nothing for it.
CREATE FUNCTION zerodb._field_source(target regclass, field text, columns jsonb, id_field text) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source jsonb := columns -> field;
    key text[];
BEGIN
    IF source IS NOT NULL THEN
        IF jsonb_typeof(source) = 'string' THEN
            IF NOT zerodb._has_column(target, source #>> '{}') THEN
                PERFORM zerodb._no_column(target, source #>> '{}');
            END IF;
            RETURN source;
        ELSIF jsonb_typeof(source) = 'object' AND source ? 'value' AND source - 'value' = '{}' THEN
            RETURN source;
        END IF;
        RAISE EXCEPTION 'invalid source for field %', quote_literal(field)
            USING ERRCODE = '22023', HINT = 'Give a column name, or {"value": constant}.';
    END IF;
    IF zerodb._has_column(target, field) THEN
        RETURN to_jsonb(field);
    ELSIF field = id_field THEN
        key := zerodb._primary_key(target);
        RETURN CASE WHEN cardinality(key) > 0 THEN to_jsonb(key[1]) END;
    ELSIF field = 'table_name' THEN
        RETURN jsonb_build_object('value', (SELECT c.relname FROM pg_class AS c WHERE c.oid = target));
    END IF;
    RETURN NULL;
END
$$;

-- The field that names the row: the first …_id that is not one of the event's own columns.
CREATE FUNCTION zerodb._id_field(fields text[]) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT f FROM unnest(fields) WITH ORDINALITY AS u (f, n)
    WHERE f = 'id' OR (right(f, 3) = '_id' AND f NOT IN ('user_id', 'project_id', 'bank_id', 'agent_id', 'entity_id'))
    ORDER BY n LIMIT 1
$$;
