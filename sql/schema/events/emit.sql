-- API: public. Emitting events.

CREATE FUNCTION zerodb.emit(
    event_type text,
    data jsonb,
    project_id uuid DEFAULT NULL,
    user_id uuid DEFAULT NULL,
    bank_id text DEFAULT NULL
) RETURNS text
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api_anywhere';
COMMENT ON FUNCTION zerodb.emit(text, jsonb, uuid, uuid, text) IS
    'Records an event, whether or not a hook wants it, and returns its id';

CREATE FUNCTION zerodb._emit(caller oid, event_type text, data jsonb, project_id uuid, user_id uuid, bank_id text)
RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- An event without a user is an administrator's.
    event_user uuid := nullif(CASE WHEN user_id IS NULL AND zerodb._sees_all(caller) THEN zerodb._tenant(caller)
        ELSE zerodb._acting_user(caller, user_id) END, zerodb._every_user());
    event_project uuid := coalesce(project_id, nullif(current_setting('zerodb.project_id', true), '')::uuid);
    ord integer;
BEGIN
    IF NOT EXISTS (SELECT FROM zerodb.event_type AS t WHERE t.name = _emit.event_type) THEN
        PERFORM zerodb._check_event_pattern(coalesce(nullif(_emit.event_type, '*'), ''));
        RAISE EXCEPTION 'cannot emit the pattern %', quote_literal(event_type)
            USING ERRCODE = '22023', HINT = 'Emit one registered type, see zerodb.event_types.';
    END IF;
    IF data IS NULL OR jsonb_typeof(data) <> 'object' THEN
        RAISE EXCEPTION 'the data of an event must be a JSON object'
            USING ERRCODE = '22023', HINT = 'For example jsonb_build_object(''id'', 42), or ''{}''.';
    END IF;
    PERFORM zerodb._check_event_size(data, bank_id);
    PERFORM zerodb._check_payload(event_type, data, bank_id);
    data := zerodb._with_tenant(event_type, data, event_project, event_user);
    ord := zerodb._append(event_type, data::text, event_project, event_user, coalesce(bank_id, data ->> 'bank_id'));
    RETURN zerodb._event_id(pg_current_xact_id(), ord);
END
$$;

-- The meta-event of a delivery that is given up. It has no limit of size: its texts are bounded, what it takes over
-- from the event was let in, and the statement that records it is everybody's.
CREATE FUNCTION zerodb._emit_failure(data jsonb, project_id uuid, user_id uuid, bank_id text) RETURNS integer
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT zerodb._append('on_hook_failure', data::text, project_id, user_id, bank_id) $$;

-- 54000 for an event that is larger than the setting allows: every hook on it would carry all of it.
CREATE FUNCTION zerodb._check_event_size(data jsonb, bank_id text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most bigint := zerodb._limit('max_event_size');
    has bigint := octet_length(data::text) + coalesce(octet_length(bank_id), 0);
BEGIN
    IF has > most THEN
        RAISE EXCEPTION 'the event is too large'
            USING ERRCODE = '54000', DETAIL = format('It has %s bytes; zerodb.max_event_size is %s.', has, most),
                  HINT = 'Keep the content in a table and emit its id.';
    END IF;
END
$$;
