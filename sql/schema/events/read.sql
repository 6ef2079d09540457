-- API: public. Reading events.

CREATE VIEW zerodb.events WITH (security_invoker = true) AS
SELECT
    zerodb._event_id(o.xid, o.ord) AS id,
    o.event_type AS event,
    coalesce(t.channel, split_part(o.event_type, '.', 1)) AS channel,
    zerodb._event_data(o.data) AS data,
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
    FROM (SELECT zerodb._event_id(o.xid, o.ord) AS id, o.event_type AS event, o.bank_id,
        zerodb._event_data(o.data) AS data,
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
