-- Whose turn it is to send a request to an endpoint, and what its answers teach.

-- What an amount costs at a limit: `per_minute` of which `burst` at once. A bucket that was emptied is full after
-- `burst` times 61 s / (per_minute - burst + 1): then no 60 seconds, wherever they begin, see more than per_minute,
-- with a second to spare for requests that arrive late. `slack` is how long before the bucket is full the amount may
-- go. What is more than the burst needs a full bucket, and the spacing that a limiter of whole minutes would force on
-- requests of that size; what is more than a minute's counts as a minute's. Exact for amounts up to the burst and for
-- equal ones; one larger amount among smaller ones may exceed the limit by itself.
CREATE FUNCTION zerodb._toll(per_minute bigint, burst bigint, amount bigint, OUT slack interval, OUT cost interval)
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    each double precision := 61.0 / (per_minute - burst + 1);
BEGIN
    slack := make_interval(secs => greatest(burst - amount, 0) * each);
    IF amount > burst THEN
        each := least(greatest(each, 61.0 / greatest(per_minute / amount, 1) / amount), 61.0 / amount);
    END IF;
    cost := make_interval(secs => amount * each);
END
$$;

-- Requests may burst by what a second allows, tokens by a tenth of what a minute does. Null without a limit.
CREATE FUNCTION zerodb._tolls(
    requests_per_minute bigint,
    tokens_per_minute bigint,
    requests bigint,
    tokens bigint,
    OUT request_slack interval,
    OUT request_cost interval,
    OUT token_slack interval,
    OUT token_cost interval
)
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF requests_per_minute IS NOT NULL THEN
        SELECT t.* INTO request_slack, request_cost
        FROM zerodb._toll(greatest(requests_per_minute, 1), greatest(requests_per_minute / 60, 1), requests) AS t;
    END IF;
    IF tokens_per_minute IS NOT NULL THEN
        SELECT t.* INTO token_slack, token_cost
        FROM zerodb._toll(greatest(tokens_per_minute, 1), greatest(tokens_per_minute / 10, 1), tokens) AS t;
    END IF;
END
$$;

-- Until when nobody enters an endpoint, null when it may be entered now; and whether that would be a probe.
CREATE FUNCTION zerodb._pause_of(endpoint text, OUT until timestamptz, OUT reason text, OUT probe boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known zerodb.endpoint;
BEGIN
    SELECT e.* INTO known FROM zerodb.endpoint AS e WHERE e.name = endpoint;
    probe := false;
    IF known.paused_until > clock_timestamp() THEN
        until := known.paused_until;
        reason := known.pause_reason;
    ELSIF known.opened_at IS NOT NULL AND known.probe_until > clock_timestamp() THEN
        -- The probe may end any moment.
        until := least(known.probe_until, clock_timestamp() + interval '1 second');
        reason := 'circuit_open';
    ELSE
        probe := known.opened_at IS NOT NULL;
    END IF;
END
$$;

-- May a request of so many tokens be sent? Null is no limit. A place that comes within patience_ms is taken: `entered`,
-- and wait_ms says when. Otherwise nothing is taken: held_by is pause, requests or tokens, wait_ms how long it lasts at
-- least. After the pause of an open circuit one request is let in as its probe, and the others wait for it. Looks without
-- a lock first, so who is refused, and who has no limit, writes and locks nothing.
CREATE FUNCTION zerodb._enter_endpoint(
    endpoint text,
    requests_per_minute bigint,
    tokens_per_minute bigint,
    requests bigint,
    tokens bigint,
    patience_ms bigint,
    OUT entered boolean,
    OUT wait_ms bigint,
    OUT held_by text,
    OUT pause_reason text,
    OUT probe boolean
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'
AS $$
DECLARE
    limited boolean := requests_per_minute IS NOT NULL OR tokens_per_minute IS NOT NULL;
    paused record;
    locked boolean := false;
    toll record;
    last record;
    ready timestamptz;
BEGIN
    LOOP
        SELECT p.* INTO paused FROM zerodb._pause_of(endpoint) AS p;
        probe := paused.probe;
        held_by := CASE WHEN paused.until IS NOT NULL THEN 'pause' END;
        pause_reason := paused.reason;
        ready := paused.until;
        IF paused.until IS NULL AND limited THEN
            toll := zerodb._tolls(requests_per_minute, tokens_per_minute, requests, tokens);
            last := zerodb._last_admission(endpoint);
            ready := greatest(last.next_request_at - toll.request_slack, last.next_token_at - toll.token_slack);
            held_by := CASE WHEN ready = last.next_token_at - toll.token_slack THEN 'tokens' ELSE 'requests' END;
        END IF;
        wait_ms := greatest(ceil(extract(epoch FROM ready - clock_timestamp()) * 1000)::bigint, 0);
        entered := held_by IS DISTINCT FROM 'pause' AND wait_ms <= patience_ms;
        EXIT WHEN locked OR NOT entered OR NOT (limited OR probe);
        PERFORM zerodb._lock_endpoint(endpoint);
        locked := true;
    END LOOP;
    probe := probe AND entered;
    IF probe THEN
        UPDATE zerodb.endpoint AS e SET probe_until = clock_timestamp() + interval '30 seconds',
            updated_at = clock_timestamp()
        WHERE e.name = endpoint;
    END IF;
    IF NOT entered OR NOT limited THEN
        RETURN;
    END IF;
    held_by := NULL;
    ready := greatest(ready, clock_timestamp());
    INSERT INTO zerodb.endpoint_admission (name, seq, at, next_request_at, next_token_at, requests, tokens)
    VALUES (endpoint, coalesce(last.seq, 0) + 1, ready,
        coalesce(greatest(last.next_request_at, ready) + toll.request_cost, last.next_request_at),
        coalesce(greatest(last.next_token_at, ready) + toll.token_cost, last.next_token_at), requests, tokens);
END
$$;

-- Corrects an estimate of tokens by what the answer said.
CREATE FUNCTION zerodb._settle_endpoint(endpoint text, tokens_per_minute bigint, estimated bigint, used bigint)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'
AS $$
DECLARE
    last record;
    correction interval := (zerodb._tolls(NULL, tokens_per_minute, 0, used)).token_cost
        - (zerodb._tolls(NULL, tokens_per_minute, 0, estimated)).token_cost;
BEGIN
    PERFORM zerodb._lock_endpoint(endpoint);
    last := zerodb._last_admission(endpoint);
    IF last.seq IS NOT NULL THEN
        INSERT INTO zerodb.endpoint_admission (name, seq, at, next_request_at, next_token_at, requests, tokens)
        VALUES (endpoint, last.seq + 1, clock_timestamp(), last.next_request_at, last.next_token_at + correction, 0,
            used - estimated);
    END IF;
END
$$;
