-- Internal. The argument of a watch's triggers: everything that the hot path needs, decided once.

-- Of vectors: a change of one counts only where the hash beside it stays, for auto_embed writes both, and what it
-- writes must not start it again.
CREATE FUNCTION zerodb._own_writes(target regclass, event_type text, mapping jsonb) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object('given', jsonb_object_agg(c.name, c.name || '_hash'))
    FROM jsonb_array_elements_text(mapping -> 'update_of') AS c (name)
    WHERE event_type = 'zerodb.vector.stored' AND zerodb._is_vector_column(target, c.name)
        AND zerodb._has_column(target, c.name || '_hash')
    HAVING count(*) > 0
$$;

-- Of memories that are forgotten: the rows of one statement, user and bank are one event with the list of their ids.
CREATE FUNCTION zerodb._listed(target regclass, event_type text, fields jsonb) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT '{"list": "memory_ids"}'::jsonb
    FROM jsonb_array_elements(fields) AS f JOIN pg_attribute AS a ON a.attrelid = target AND a.attname = f ->> 1
        AND NOT a.attisdropped
    WHERE event_type = 'on_forget' AND f ->> 0 = 'memory_ids' AND jsonb_typeof(f -> 1) = 'string'
        -- One that holds a list already is the list.
        AND a.atttypid <> ALL ('{json,jsonb}'::regtype[]) AND a.attndims = 0
$$;

-- The trigger's argument: everything the hot path needs, decided here once.
CREATE FUNCTION zerodb._watch_mapping(target regclass, event_type text, columns jsonb, operations text[],
    update_of text[])
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
    SELECT coalesce(jsonb_agg(jsonb_build_array(f, zerodb._field_source(target, f, columns, id_field)) ORDER BY n),
        '[]')
    INTO fields FROM unnest(known.fields) WITH ORDINALITY AS u (f, n);
    mapping := jsonb_build_object('event', event_type, 'fields', fields);
    FOREACH tenant IN ARRAY '{user_id,project_id,bank_id}'::text[] LOOP
        mapping := mapping || jsonb_build_object(tenant, zerodb._field_source(target, tenant, columns, NULL));
    END LOOP;
    IF 'update' = ANY (operations) AND update_of IS NOT NULL THEN
        mapping := mapping || jsonb_build_object('update_of', to_jsonb(update_of));
    END IF;
    mapping := mapping || coalesce(zerodb._own_writes(target, event_type, mapping), '{}')
        || coalesce(zerodb._listed(target, event_type, fields), '{}');
    RETURN mapping || coalesce((SELECT jsonb_build_object('batch',
        jsonb_build_object('event', b.name, 'fields', b.fields))
        FROM zerodb.event_type AS b WHERE b.batch_of = _watch_mapping.event_type), '{}');
END
$$;
