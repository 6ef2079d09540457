-- What the data of a built-in event type may hold, for those that applications emit. Of a type that a user registers
-- only the names of fields are known, so its data is not looked at. Null is always "not known".

-- What a field is, which is the same in every type that has it: `id` (a text or a number), `text`, `uuid`, `count` (a
-- whole number from 0), `number`, `scalar`, `boolean`, `texts`, `list`.
CREATE FUNCTION zerodb._field_kind(field text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN field IN ('vector_id', 'memory_id', 'file_id', 'row_id', 'event_id') THEN 'id'
        WHEN field IN ('user_id', 'project_id') THEN 'uuid'
        WHEN field IN ('content_length', 'result_count', 'answer_length', 'source_count', 'memory_count',
            'observation_count',
            'source_fact_count', 'failure_count', 'count', 'size_bytes') THEN 'count'
        WHEN field IN ('top_score', 'latency_ms', 'similarity_score') THEN 'number'
        WHEN field IN ('threshold', 'limit', 'retry_after', 'recovery_duration', 'compliance') THEN 'scalar'
        WHEN field = 'fallback_used' THEN 'boolean'
        WHEN field IN ('tags', 'memory_ids') THEN 'texts'
        WHEN field = 'policy_actions' THEN 'list'
        ELSE 'text' END
$$;

-- The words that a field of an event type may have; null where it may have any.
CREATE FUNCTION zerodb._field_words(event_type text, field text) RETURNS text[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE event_type || ' ' || field
        WHEN 'on_pii_detected action_taken' THEN '{redact,reject,warn}'::text[]
        WHEN 'on_ttl_expiry action' THEN '{archive,delete}'
        WHEN 'on_legal_hold action' THEN '{set,released}'
        WHEN 'zeromemory.remembered memory_type' THEN '{working,episodic,semantic}'
        WHEN 'zeromemory.forgotten memory_type' THEN '{working,episodic,semantic}' END
$$;

-- The fields without which an event of the type says nothing. The others an application may not know.
CREATE FUNCTION zerodb._field_needs(event_type text) RETURNS text[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN event_type IN ('zerodb.vector.stored', 'zerodb.vector.deleted') THEN '{vector_id}'::text[]
        WHEN event_type IN ('zerodb.memory.stored', 'zerodb.memory.deleted', 'zeromemory.remembered',
            'zeromemory.forgotten', 'on_retain')
            THEN '{memory_id}'
        WHEN event_type = 'zerodb.vector.batch_stored' THEN '{count}'
        WHEN event_type = 'zerodb.file.uploaded' THEN '{file_id}'
        WHEN starts_with(event_type, 'zerodb.table.') THEN '{row_id}'
        WHEN event_type = 'zerodb.event.published' THEN '{topic}'
        WHEN event_type = 'on_forget' THEN '{memory_ids}'
        WHEN event_type = 'on_pii_detected' THEN '{pii_type}'
        WHEN event_type = 'on_rate_limited' THEN '{operation}'
        WHEN event_type IN ('on_circuit_breaker_open', 'on_circuit_breaker_close') THEN '{provider}'
        WHEN event_type = 'on_dedup_detected' THEN '{similarity_score}'
        WHEN event_type = 'on_noisy_bank' THEN '{signal}'
        WHEN event_type = 'on_ttl_expiry' THEN '{action}'
        WHEN event_type IN ('on_bank_created', 'on_bank_deleted') THEN '{bank_id}'
        WHEN event_type = 'on_legal_hold' THEN '{hold_id,action}'
        ELSE '{}' END
$$;

-- True for an array of texts and numbers.
CREATE FUNCTION zerodb._are_ids(list jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN jsonb_typeof(list) = 'array'
        THEN NOT EXISTS (SELECT FROM jsonb_array_elements(list) AS e WHERE jsonb_typeof(e) NOT IN ('string', 'number'))
            ELSE false END
$$;

-- What a value must be, in words; null where it is that.
CREATE FUNCTION zerodb._not_of_kind(value jsonb, kind text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE kind
        WHEN 'id' THEN CASE WHEN jsonb_typeof(value) NOT IN ('string', 'number') OR value = '""'
            THEN 'a text or a number' END
        WHEN 'uuid' THEN CASE WHEN jsonb_typeof(value) <> 'string'
            OR value #>> '{}' !~* '^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$' THEN 'a UUID' END
        WHEN 'count' THEN CASE WHEN jsonb_typeof(value) <> 'number' OR value::text !~ '^[0-9]+$'
            THEN 'a whole number from 0' END
        WHEN 'number' THEN CASE WHEN jsonb_typeof(value) <> 'number' THEN 'a number' END
        WHEN 'boolean' THEN CASE WHEN jsonb_typeof(value) <> 'boolean' THEN 'true or false' END
        WHEN 'scalar' THEN CASE WHEN jsonb_typeof(value) IN ('object', 'array')
            THEN 'a number, a text, true or false' END
        WHEN 'list' THEN CASE WHEN jsonb_typeof(value) <> 'array' THEN 'a list' END
        WHEN 'texts' THEN CASE WHEN NOT zerodb._are_ids(value) THEN 'a list of texts' END
        ELSE CASE WHEN jsonb_typeof(value) <> 'string' THEN 'a text' END END
$$;

-- 22023, naming the field, unless the value is what the field of the type holds.
CREATE FUNCTION zerodb._check_field(known zerodb.event_type, field text, value jsonb) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    words text[] := zerodb._field_words(known.name, field);
    expected text;
BEGIN
    IF field <> ALL (known.fields || '{bank_id,user_id,project_id}'::text[]) THEN
        RAISE EXCEPTION 'events of type % have no field %', quote_literal(known.name), quote_literal(left(field, 100))
            USING ERRCODE = '22023', DETAIL = 'Its fields: ' || array_to_string(known.fields, ', ') || '.',
                  HINT = coalesce('Did you mean ' || quote_literal(zerodb._nearest(left(field, 100), known.fields))
                      || '?',
                      'Leave it out, or register a type of your own that has it.');
    END IF;
    expected := coalesce(zerodb._not_of_kind(value, zerodb._field_kind(field)),
        CASE WHEN value #>> '{}' <> ALL (words) THEN 'one of ' || array_to_string(words, ', ') END);
    IF value <> 'null' AND expected IS NOT NULL THEN
        RAISE EXCEPTION 'invalid value for field % of an event of type %', quote_literal(field),
            quote_literal(known.name)
            USING ERRCODE = '22023', DETAIL = 'Expected ' || expected || '.',
                  HINT = 'Correct the value, or leave the field out where it is not known.';
    END IF;
END
$$;

-- 22023, naming the field, unless the data is what an event of the type says. `bank_id` may come beside the data.
CREATE FUNCTION zerodb._check_payload(event_type text, data jsonb, bank_id text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known zerodb.event_type;
    missing text;
BEGIN
    SELECT t.* INTO known FROM zerodb.event_type AS t WHERE t.name = _check_payload.event_type;
    IF NOT known.builtin THEN
        RETURN;
    ELSIF event_type = 'on_hook_failure' THEN
        RAISE EXCEPTION 'event type ''on_hook_failure'' cannot be emitted'
            USING ERRCODE = '22023', DETAIL = 'It says that a delivery was given up, which the extension knows.',
                  HINT = 'Register a type of your own with zerodb.register_event_type.';
    END IF;
    PERFORM zerodb._check_field(known, d.key, d.value) FROM jsonb_each(data) AS d;
    SELECT n INTO missing FROM unnest(zerodb._field_needs(event_type)) AS n
    WHERE coalesce(data -> n, 'null') IN ('null', '""') AND (n <> 'bank_id' OR bank_id IS NULL) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'an event of type % needs the field %', quote_literal(event_type), quote_literal(missing)
            USING ERRCODE = '22023', DETAIL = 'Its fields: ' || array_to_string(known.fields, ', ') || '.',
                  HINT = 'Add it to the data.';
    END IF;
END
$$;

-- The data, with the event's user and project where its type has these fields and the data does not say them.
CREATE FUNCTION zerodb._with_tenant(event_type text, data jsonb, project_id uuid, user_id uuid) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT data
        || CASE WHEN _with_tenant.user_id IS NOT NULL AND 'user_id' = ANY (t.fields)
            AND coalesce(data -> 'user_id', 'null') = 'null'
            THEN jsonb_build_object('user_id', _with_tenant.user_id) ELSE '{}' END
        || CASE WHEN _with_tenant.project_id IS NOT NULL AND 'project_id' = ANY (t.fields)
            AND coalesce(data -> 'project_id', 'null') = 'null'
            THEN jsonb_build_object('project_id', _with_tenant.project_id) ELSE '{}' END
    FROM zerodb.event_type AS t WHERE t.name = _with_tenant.event_type
$$;
