-- What becomes of an endpoint by its answers: its circuit opens and closes, it refuses for its rate. Each change is one
-- transaction with the event that tells it, so that it is told once, whichever worker saw it. The events are those of
-- the user whose hooks the endpoint belongs to; those of models, and of hooks of every user, are nobody's.

-- The name that events give an endpoint: without the user, and an origin as a URL has it.
CREATE FUNCTION zerodb._endpoint_label(endpoint text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN endpoint ~ '^webhook:[0-9a-f-]{36}:'
        THEN regexp_replace(split_part(substr(endpoint, 46), ' ', 1), '^(https?):', '\1://') ELSE endpoint END
$$;

-- The right to write an event of an endpoint, and no other.
CREATE FUNCTION zerodb._tell_endpoint(user_id uuid, event_type text, data jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF event_type NOT IN ('on_circuit_breaker_open', 'on_circuit_breaker_close', 'on_rate_limited') THEN
        RAISE EXCEPTION 'an endpoint tells no %', quote_literal(event_type) USING ERRCODE = '22023';
    END IF;
    PERFORM zerodb._append(event_type, data::text, NULL, nullif(user_id, zerodb._every_user()), NULL);
END
$$;

-- The circuit opens, or its probe failed: nobody enters for pause_ms, and for twice as long as last time; five minutes at
-- most. A failure while it is paused says nothing new.
CREATE FUNCTION zerodb._open_circuit(endpoint text, pause_ms bigint, failures bigint, last_error text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'
AS $$
DECLARE
    known zerodb.endpoint := zerodb._lock_endpoint(endpoint);
    pause interval;
BEGIN
    IF known.opened_at IS NOT NULL AND known.paused_until > clock_timestamp() THEN
        RETURN;
    END IF;
    pause := least(greatest(pause_ms, 1000 * (1 << least(known.openings, 20))), 300000) * interval '1 millisecond';
    UPDATE zerodb.endpoint AS e
    SET opened_at = coalesce(e.opened_at, clock_timestamp()), openings = least(e.openings, 1000) + 1, probe_until = NULL,
        paused_until = greatest(e.paused_until, clock_timestamp() + pause), pause_reason = 'circuit_open',
        failures = least(e.openings, 1000) + 1, updated_at = clock_timestamp()
    WHERE e.name = endpoint;
    IF known.opened_at IS NULL THEN
        PERFORM zerodb._tell_endpoint(known.user_id, 'on_circuit_breaker_open', jsonb_build_object(
            'provider', zerodb._endpoint_label(endpoint), 'failure_count', failures, 'last_error', left(last_error, 500)));
    END IF;
END
$$;

-- The endpoint answered, or somebody resumes it: the circuit closes, and its pause ends. Looks without a lock first.
CREATE FUNCTION zerodb._close_circuit(endpoint text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'
AS $$
DECLARE
    known zerodb.endpoint;
BEGIN
    IF NOT EXISTS (SELECT FROM zerodb.endpoint AS e WHERE e.name = endpoint AND e.opened_at IS NOT NULL) THEN
        RETURN;
    END IF;
    known := zerodb._lock_endpoint(endpoint);
    IF known.opened_at IS NULL THEN
        RETURN;
    END IF;
    UPDATE zerodb.endpoint AS e
    SET opened_at = NULL, openings = 0, probe_until = NULL, failures = 0, updated_at = clock_timestamp(),
        paused_until = CASE WHEN e.pause_reason IS DISTINCT FROM 'circuit_open' THEN e.paused_until END
    WHERE e.name = endpoint;
    PERFORM zerodb._tell_endpoint(known.user_id, 'on_circuit_breaker_close', jsonb_build_object(
        'provider', zerodb._endpoint_label(endpoint),
        'recovery_duration', round(extract(epoch FROM clock_timestamp() - known.opened_at)::numeric, 3)));
END
$$;

-- The endpoint refused a request for its rate: nobody enters for pause_ms. Refusals that follow one another within a
-- minute of the last one, or of its pause, are one change and told once.
CREATE FUNCTION zerodb._throttle_endpoint(endpoint text, pause_ms bigint, operation text, rate_limit bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'
AS $$
DECLARE
    known zerodb.endpoint := zerodb._lock_endpoint(endpoint);
BEGIN
    UPDATE zerodb.endpoint AS e
    SET limited_at = clock_timestamp(), updated_at = clock_timestamp(),
        paused_until = greatest(e.paused_until, clock_timestamp() + pause_ms * interval '1 millisecond'),
        pause_reason = CASE WHEN e.paused_until > clock_timestamp() + pause_ms * interval '1 millisecond'
            THEN e.pause_reason ELSE 'rate_limited' END
    WHERE e.name = endpoint;
    IF coalesce(greatest(known.limited_at, CASE WHEN known.pause_reason = 'rate_limited' THEN known.paused_until END)
        < clock_timestamp() - interval '1 minute', true)
    THEN
        PERFORM zerodb._tell_endpoint(known.user_id, 'on_rate_limited', jsonb_build_object('bank_id', NULL,
            'operation', left(format('%s at %s', operation, zerodb._endpoint_label(endpoint)), 200), 'limit', rate_limit,
            'retry_after', round(pause_ms / 1000.0, 1)));
    END IF;
END
$$;
