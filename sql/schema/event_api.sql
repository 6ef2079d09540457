-- API: public. Emitting and reading events.

CREATE FUNCTION zerodb.emit(
    event_type text,
    data jsonb,
    project_id uuid DEFAULT NULL,
    user_id uuid DEFAULT NULL,
    bank_id text DEFAULT NULL
) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    event_user uuid := coalesce(user_id, zerodb._user_id());
    event_project uuid := coalesce(project_id, nullif(current_setting('zerodb.project_id', true), '')::uuid);
    ord integer;
BEGIN
    IF NOT EXISTS (SELECT FROM zerodb.event_type AS t WHERE t.name = emit.event_type) THEN
        PERFORM zerodb._check_event_pattern(coalesce(nullif(emit.event_type, '*'), ''));
        RAISE EXCEPTION 'cannot emit the pattern %', quote_literal(event_type)
            USING ERRCODE = '22023', HINT = 'Emit one registered type, see zerodb.event_types.';
    END IF;
    IF data IS NULL OR jsonb_typeof(data) <> 'object' THEN
        RAISE EXCEPTION 'the data of an event must be a JSON object'
            USING ERRCODE = '22023', HINT = 'For example jsonb_build_object(''id'', 42), or ''{}''.';
    END IF;
    IF event_user IS NOT NULL OR NOT zerodb._sees_all() THEN
        event_user := zerodb._acting_user(event_user);
    END IF;
    ord := zerodb._append(event_type, data::text, event_project, event_user, coalesce(bank_id, data ->> 'bank_id'));
    RETURN zerodb._event_id(pg_current_xact_id(), ord);
END
$$;
COMMENT ON FUNCTION zerodb.emit(text, jsonb, uuid, uuid, text) IS 'Records an event, whether or not a hook wants it, and returns its id';

CREATE VIEW zerodb.events WITH (security_invoker = true) AS
SELECT
    zerodb._event_id(o.xid, o.ord) AS id,
    o.event_type AS event,
    coalesce(t.channel, split_part(o.event_type, '.', 1)) AS channel,
    o.data::jsonb AS data,
    o.user_id,
    o.project_id,
    o.bank_id,
    nullif(split_part(o.traceparent, '-', 2), '') AS trace_id,
    o.created_at AS timestamp
FROM zerodb.outbox AS o
LEFT JOIN zerodb.event_type AS t ON t.name = o.event_type;
COMMENT ON VIEW zerodb.events IS 'The event log, as far back as zerodb.retention keeps it';

CREATE FUNCTION zerodb._rfc3339(at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$;

-- P0002, the same for an id that never was, one that has left the log and one of another user.
CREATE FUNCTION zerodb._no_event(id text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'event % does not exist', coalesce(quote_literal(id), 'NULL')
        USING ERRCODE = 'P0002', HINT = 'SELECT id FROM zerodb.events shows the ids; old events leave the log after zerodb.retention.';
END
$$;

CREATE FUNCTION zerodb.event_json(id text) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    envelope jsonb;
BEGIN
    SELECT CASE WHEN e.channel = 'astrocyte' THEN jsonb_build_object(
        'event_id', substr(e.id, 5)::uuid, 'type', e.event, 'timestamp', zerodb._rfc3339(e.timestamp),
        'bank_id', e.bank_id, 'data', e.data, 'trace_id', e.trace_id)
    ELSE jsonb_build_object(
        'id', e.id, 'event', e.event, 'channel', e.channel, 'data', e.data, 'timestamp', zerodb._rfc3339(e.timestamp))
    END INTO envelope
    FROM (SELECT zerodb._event_id(o.xid, o.ord) AS id, o.event_type AS event, o.bank_id, o.data::jsonb AS data,
            coalesce(t.channel, split_part(o.event_type, '.', 1)) AS channel,
            nullif(split_part(o.traceparent, '-', 2), '') AS trace_id, o.created_at AS timestamp
        FROM zerodb._event_key(event_json.id) AS k
        JOIN zerodb.outbox AS o ON o.xid = k.xid AND o.ord = k.ord
        LEFT JOIN zerodb.event_type AS t ON t.name = o.event_type) AS e;
    IF envelope IS NULL THEN
        PERFORM zerodb._no_event(event_json.id);
    END IF;
    RETURN envelope;
END
$$;
COMMENT ON FUNCTION zerodb.event_json(text) IS 'The envelope of an event, as a handler gets it; P0002 when absent';
