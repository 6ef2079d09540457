-- API: public. Watches: the triggers that record events. A watch lives in its triggers (their one argument is the mapping, as
-- JSON), so pg_dump carries it with the table. This file and watch_triggers.sql hold the only DDL on a user's table.

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
        WHERE a.attrelid = target AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v')
$$;

-- 42703 with the nearest help.
CREATE FUNCTION zerodb._no_column(target regclass, column_name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = target AND a.attname = column_name AND a.attgenerated = 'v') THEN
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

-- Of vectors: a change of one counts only where the hash beside it stays, for auto_embed writes both, and what it writes must not
-- start it again.
CREATE FUNCTION zerodb._own_writes(target regclass, event_type text, mapping jsonb) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object('given', jsonb_object_agg(c.name, c.name || '_hash'))
    FROM jsonb_array_elements_text(mapping -> 'update_of') AS c (name)
    WHERE event_type = 'zerodb.vector.stored' AND zerodb._is_vector_column(target, c.name) AND zerodb._has_column(target, c.name || '_hash')
    HAVING count(*) > 0
$$;

-- Of memories that are forgotten: the rows of one statement, user and bank are one event with the list of their ids.
CREATE FUNCTION zerodb._listed(target regclass, event_type text, fields jsonb) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT '{"list": "memory_ids"}'::jsonb
    FROM jsonb_array_elements(fields) AS f JOIN pg_attribute AS a ON a.attrelid = target AND a.attname = f ->> 1 AND NOT a.attisdropped
    WHERE event_type = 'on_forget' AND f ->> 0 = 'memory_ids' AND jsonb_typeof(f -> 1) = 'string'
        -- One that holds a list already is the list.
        AND a.atttypid <> ALL ('{json,jsonb}'::regtype[]) AND a.attndims = 0
$$;

-- The trigger's argument: everything the hot path needs, decided here once.
CREATE FUNCTION zerodb._watch_mapping(target regclass, event_type text, columns jsonb, operations text[], update_of text[])
RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known zerodb.event_type;
    unknown text;
    id_field text;
    tenant text;
    fields jsonb := '[]';
    mapping jsonb;
BEGIN
    SELECT t.* INTO known FROM zerodb.event_type AS t WHERE t.name = _watch_mapping.event_type;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'unknown event type %', coalesce(quote_literal(event_type), 'NULL')
            USING ERRCODE = '22023',
                  HINT = 'Register it first: SELECT zerodb.register_event_type('
                      || coalesce(quote_literal(event_type), '''name''') || ', ''app'', ''{id}'', ''what happened'').';
    END IF;
    IF known.batch_of IS NOT NULL THEN
        RAISE EXCEPTION 'event type % follows from %', quote_literal(event_type), quote_literal(known.batch_of)
            USING ERRCODE = '22023', HINT = 'Watch ' || quote_literal(known.batch_of)
                || ': a statement that stores several rows emits both.';
    END IF;
    IF columns IS NULL OR jsonb_typeof(columns) <> 'object' THEN
        RAISE EXCEPTION 'columns must be a JSON object'
            USING ERRCODE = '22023', HINT = 'For example {"row_id": "id", "source": {"value": "api"}}.';
    END IF;
    SELECT k INTO unknown FROM jsonb_object_keys(columns) AS k
    WHERE k <> ALL (known.fields) AND k NOT IN ('user_id', 'project_id', 'bank_id') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'event type % has no field %', quote_literal(event_type), quote_literal(unknown)
            USING ERRCODE = '22023', HINT = 'Its fields: ' || array_to_string(known.fields, ', ') || '.';
    END IF;
    id_field := zerodb._id_field(known.fields);
    SELECT coalesce(jsonb_agg(jsonb_build_array(f, zerodb._field_source(target, f, columns, id_field)) ORDER BY n), '[]')
    INTO fields FROM unnest(known.fields) WITH ORDINALITY AS u (f, n);
    mapping := jsonb_build_object('event', event_type, 'fields', fields);
    FOREACH tenant IN ARRAY '{user_id,project_id,bank_id}'::text[] LOOP
        mapping := mapping || jsonb_build_object(tenant, zerodb._field_source(target, tenant, columns, NULL));
    END LOOP;
    IF 'update' = ANY (operations) AND update_of IS NOT NULL THEN
        mapping := mapping || jsonb_build_object('update_of', to_jsonb(update_of));
    END IF;
    mapping := mapping || coalesce(zerodb._own_writes(target, event_type, mapping), '{}') || coalesce(zerodb._listed(target, event_type, fields), '{}');
    RETURN mapping || coalesce((SELECT jsonb_build_object('batch', jsonb_build_object('event', b.name, 'fields', b.fields))
        FROM zerodb.event_type AS b WHERE b.batch_of = _watch_mapping.event_type), '{}');
END
$$;

-- Refuses what cannot be watched: views, foreign and temporary tables, the extension's own.
CREATE FUNCTION zerodb._check_watchable(target regclass, operations text[], update_of text[]) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    relation pg_class;
    wrong text;
BEGIN
    SELECT c.* INTO relation FROM pg_class AS c WHERE c.oid = target;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the table to watch is NULL or does not exist'
            USING ERRCODE = '42P01', HINT = 'Give its name, with the schema: ''public.documents''.';
    END IF;
    IF relation.relkind NOT IN ('r', 'p') OR relation.relpersistence = 't' THEN
        RAISE EXCEPTION '% cannot be watched', target
            USING ERRCODE = '42809', DETAIL = 'Only permanent tables and partitioned tables can.',
                  HINT = 'Watch the table that the writes go to.';
    END IF;
    IF relation.relispartition THEN
        RAISE EXCEPTION '% is part of another table', target
            USING ERRCODE = '42809', DETAIL = 'Writes through the parent would not be seen here.',
                  HINT = 'Watch ' || (SELECT string_agg(i.inhparent::regclass::text, ', ') FROM pg_inherits AS i
                      WHERE i.inhrelid = target) || ' instead: that covers its parts.';
    END IF;
    IF relation.relnamespace = 'zerodb'::regnamespace THEN
        RAISE EXCEPTION 'a table of zerodb_hooks itself cannot be watched'
            USING ERRCODE = '42809', HINT = 'Watch a table of your own.';
    END IF;
    SELECT o INTO wrong FROM unnest(operations) AS o
    WHERE o IS NULL OR o NOT IN ('insert', 'update', 'delete') LIMIT 1;
    IF FOUND OR coalesce(cardinality(operations), 0) = 0 THEN
        RAISE EXCEPTION 'invalid operations %', coalesce(operations::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'Give one or more of insert, update, delete.';
    END IF;
    IF cardinality(update_of) = 0 THEN
        RAISE EXCEPTION 'update_of is empty'
            USING ERRCODE = '22023', HINT = 'Name columns, or leave it out to count every update that changes the row.';
    END IF;
    IF update_of IS NOT NULL AND 'update' <> ALL (operations) THEN
        RAISE EXCEPTION 'update_of is given, but operations have no update'
            USING ERRCODE = '22023', HINT = 'Add ''update'' to operations.';
    END IF;
    SELECT c INTO wrong FROM unnest(update_of) AS c WHERE c IS NULL OR NOT zerodb._has_column(target, c) LIMIT 1;
    IF FOUND THEN
        PERFORM zerodb._no_column(target, coalesce(wrong, 'NULL'));
    END IF;
END
$$;

CREATE FUNCTION zerodb.watch(
    target regclass,
    event_type text,
    columns jsonb DEFAULT '{}',
    operations text[] DEFAULT '{insert}',
    update_of text[] DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '10s'
AS $$
DECLARE
    wanted jsonb;
    partitioned boolean;
    triggered text[];
    heir regclass;
BEGIN
    PERFORM zerodb._check_watchable(target, operations, update_of);
    wanted := zerodb._watch_mapping(target, event_type, columns, operations, update_of)
        || jsonb_build_object('operations', to_jsonb(operations));
    IF octet_length(wanted::text) > zerodb._longest_mapping() THEN
        RAISE EXCEPTION 'the mapping of the watch has % bytes', octet_length(wanted::text)
            USING ERRCODE = '54000', DETAIL = format('It may have %s.', zerodb._longest_mapping()),
                  HINT = 'Register the event type with fewer fields, or give shorter constants.';
    END IF;
    PERFORM zerodb._note_watch_tenant(target, wanted);
    partitioned := (SELECT c.relkind = 'p' FROM pg_class AS c WHERE c.oid = target);
    -- A row that moves between partitions fires DELETE and INSERT triggers: all three must look.
    triggered := CASE WHEN partitioned THEN '{insert,update,delete}' ELSE operations END;
    -- Row triggers cannot tell that a statement stored several rows. A foreign partition forbids the look at all of them.
    IF partitioned AND wanted ? 'batch' AND 'insert' = ANY (operations) AND NOT EXISTS (
        SELECT FROM pg_partition_tree(target) AS p JOIN pg_class AS c ON c.oid = p.relid WHERE c.relkind = 'f')
    THEN
        triggered := triggered || '{batch}';
    END IF;
    PERFORM zerodb._set_watch_triggers(target, wanted, triggered);
    -- Those of others stay as they are; zerodb.watches tells.
    FOR heir IN SELECT c.oid FROM zerodb._heirs(target) AS h JOIN pg_class AS c ON c.oid = h WHERE pg_has_role(c.relowner, 'USAGE') LOOP
        PERFORM zerodb._note_watch_tenant(heir, wanted);
        PERFORM zerodb._set_watch_triggers(heir, wanted, triggered);
    END LOOP;
END
$$;
COMMENT ON FUNCTION zerodb.watch(regclass, text, jsonb, text[], text[]) IS 'Records an event for every write to a table; calling it again with the same arguments changes nothing';

CREATE FUNCTION zerodb.unwatch(target regclass, event_type text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '10s'
AS $$
DECLARE
    dropped jsonb[] := zerodb._drop_watch_triggers(target, event_type, NULL);
BEGIN
    IF cardinality(dropped) = 0 THEN
        RAISE EXCEPTION '% is not watched%', target, coalesce(' for ' || quote_literal(event_type), '')
            USING ERRCODE = 'P0002', HINT = 'See zerodb.watches.';
    END IF;
    PERFORM zerodb._drop_watch_triggers(c.oid, event_type, dropped) FROM zerodb._heirs(target) AS h
    JOIN pg_class AS c ON c.oid = h WHERE pg_has_role(c.relowner, 'USAGE');
END
$$;
COMMENT ON FUNCTION zerodb.unwatch(regclass, text) IS 'Removes the triggers of one event type, or of all; P0002 when there are none';

-- The writes to a watched table that leave no event although the watch asks for them, in words; null where there are none.
CREATE FUNCTION zerodb._missed_writes(target oid, event_type text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE copy AS (
        SELECT t.oid, t.tgenabled FROM zerodb._watch_trigger AS w JOIN pg_trigger AS t ON t.oid = w.trigger_id
        WHERE w.tgrelid = target AND w.mapping ->> 'event' = event_type
        UNION ALL SELECT t.oid, t.tgenabled FROM copy AS c JOIN pg_trigger AS t ON t.tgparentid = c.oid
    ), above AS (
        SELECT i.inhparent FROM pg_inherits AS i WHERE i.inhrelid = target
        UNION SELECT i.inhparent FROM above AS a JOIN pg_inherits AS i ON i.inhrelid = a.inhparent
    ), elsewhere AS (
        SELECT a.inhparent AS relid, 'writes through ' AS way FROM above AS a
        -- A partition is written through the topmost table.
        WHERE NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = a.inhparent AND c.relispartition)
        UNION ALL SELECT h::oid, 'writes to ' FROM zerodb._heirs(target) AS h
    )
    SELECT nullif(concat_ws(', ',
        CASE WHEN EXISTS (SELECT FROM copy AS c WHERE c.tgenabled = 'D') THEN 'writes while its triggers are disabled'
            WHEN EXISTS (SELECT FROM copy AS c WHERE c.tgenabled = 'R') THEN 'writes but those of replication'
            WHEN EXISTS (SELECT FROM copy AS c WHERE c.tgenabled = 'O') THEN 'writes of replication' END,
        (SELECT string_agg(e.way || e.relid::regclass, ', ' ORDER BY 1) FROM elsewhere AS e
            WHERE NOT EXISTS (SELECT FROM zerodb._watch_trigger AS w WHERE w.tgrelid = e.relid AND w.mapping ->> 'event' = event_type))), '')
$$;

CREATE VIEW zerodb.watches AS
SELECT
    w.tgrelid::regclass AS target,
    (w.mapping ->> 'event') AS event_type,
    (SELECT jsonb_object_agg(f ->> 0, f -> 1) FROM jsonb_array_elements(w.mapping -> 'fields') AS f) AS columns,
    ARRAY(SELECT jsonb_array_elements_text(w.mapping -> 'operations')) AS operations,
    CASE WHEN w.mapping ? 'update_of' THEN ARRAY(SELECT jsonb_array_elements_text(w.mapping -> 'update_of')) END AS update_of,
    zerodb._missed_writes(w.tgrelid, w.mapping ->> 'event') AS missed
FROM (SELECT DISTINCT w.tgrelid, w.mapping FROM zerodb._watch_trigger AS w) AS w;
COMMENT ON VIEW zerodb.watches IS 'Watched tables, the events their writes record, where each data field comes from, and which writes are missed: null is none';
