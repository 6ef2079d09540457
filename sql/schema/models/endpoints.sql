-- What all workers share about endpoints, of models and of webhooks: whose turn it is to send a request, pauses, circuits,
-- and what answers have taught. The limits of models are in the worker's file; no URL and no key is ever here.

-- A model's endpoint has the name that the worker's file gives it. What belongs to a user begins with its kind:
-- webhook:USER:ORIGIN is an origin as the user's hooks reach it (with the event's user behind it, for a hook of every user),
-- hook:USER:HOOK a hook with a limit of its own. So no user's failures are another's.
CREATE TABLE zerodb.endpoint (
    name text COLLATE "C" PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 500 AND name !~ '://'),
    user_id uuid GENERATED ALWAYS AS (CASE WHEN name ~ '^(webhook|hook):[0-9a-f-]{36}:'
        THEN split_part(name, ':', 2)::uuid END) STORED,
    paused_until timestamptz,
    pause_reason text CHECK (pause_reason ~ '^[a-z_]{1,40}$'),
    failures integer NOT NULL DEFAULT 0,
    opened_at timestamptz,
    openings integer NOT NULL DEFAULT 0,
    probe_until timestamptz,
    limited_at timestamptz,
    learned jsonb NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
COMMENT ON TABLE zerodb.endpoint IS
    'Endpoints of models and of webhooks that are limited, were paused or have taught something';
COMMENT ON COLUMN zerodb.endpoint.user_id IS 'Whose hooks it belongs to; null for an endpoint of the workers'' files';
COMMENT ON COLUMN zerodb.endpoint.pause_reason IS
    'The class of the error, such as quota_exhausted; never the text of an answer';
COMMENT ON COLUMN zerodb.endpoint.failures IS
    'Pauses in a row: each began within a minute of the end of the one before';
COMMENT ON COLUMN zerodb.endpoint.opened_at IS
    'When its circuit opened, until a request succeeds: what on_circuit_breaker_open has told and on_circuit_breaker_close will';
COMMENT ON COLUMN zerodb.endpoint.openings IS 'Pauses of its circuit since then; each doubles the next one';
COMMENT ON COLUMN zerodb.endpoint.probe_until IS 'One request tries whether it is back; until then all others wait for it';
COMMENT ON COLUMN zerodb.endpoint.limited_at IS 'When it last refused a request for its rate';
COMMENT ON COLUMN zerodb.endpoint.learned IS 'By model: caps that a refusal named, such as {"bge-m3": {"inputs": 32}}';

-- For the workers' list of endpoints of webhooks that nobody may enter: few, whatever the number of the others.
CREATE INDEX endpoint_held ON zerodb.endpoint (name) WHERE user_id IS NOT NULL AND paused_until IS NOT NULL;

-- Who was let in, and when the next one can be: the last row of an endpoint counts. Insert-only, because a row that is
-- updated a hundred times a second gets slower with every update for as long as any old snapshot is held, and looking
-- for the last of many rows does not: 0.14 ms became 2.6 ms after 29,000 updates; 0.25 ms were 0.25 ms after 130,000
-- admissions.
CREATE TABLE zerodb.endpoint_admission (
    name text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    next_request_at timestamptz,
    next_token_at timestamptz,
    tokens bigint NOT NULL,
    requests integer NOT NULL,
    -- Makes two admissions from one place impossible, also in a transaction that reads an older one.
    PRIMARY KEY (name, seq)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
COMMENT ON TABLE zerodb.endpoint_admission IS
    'Requests that were let in to limited endpoints; the last of each endpoint counts, the others leave after ten minutes';
COMMENT ON COLUMN zerodb.endpoint_admission.at IS 'When the request may be sent';
COMMENT ON COLUMN zerodb.endpoint_admission.next_request_at IS 'When all of the burst of requests is there again';
COMMENT ON COLUMN zerodb.endpoint_admission.next_token_at IS 'When all of the burst of tokens is there again';
COMMENT ON COLUMN zerodb.endpoint_admission.requests IS '0 where the estimate of tokens was corrected';

CREATE VIEW zerodb.endpoints WITH (security_invoker = true) AS
SELECT
    e.name,
    CASE WHEN e.paused_until > clock_timestamp() THEN 'paused' ELSE 'open' END AS state,
    CASE WHEN e.paused_until > clock_timestamp() THEN e.paused_until END AS paused_until,
    CASE WHEN e.paused_until > clock_timestamp() THEN e.pause_reason END AS reason,
    e.learned,
    e.failures,
    CASE WHEN e.opened_at IS NULL THEN 'closed' WHEN e.paused_until > clock_timestamp() THEN 'open' ELSE 'half_open' END
        AS circuit,
    e.opened_at,
    e.user_id
FROM zerodb.endpoint AS e
WHERE NOT starts_with(e.name, 'hook:');
COMMENT ON VIEW zerodb.endpoints IS 'Endpoints that are limited, were paused or have taught something: those of models, and of the user''s webhooks';

ALTER TABLE zerodb.endpoint ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON zerodb.endpoint
USING (user_id IS NULL OR (SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));

-- The last admission of an endpoint as it counts now; nulls when there is none. A clock that was set back must not
-- close an endpoint for long: what lies further ahead than any admission reaches is cut.
CREATE FUNCTION zerodb._last_admission(endpoint text, OUT seq bigint, OUT next_request_at timestamptz,
    OUT next_token_at timestamptz)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    far timestamptz := clock_timestamp() + interval '3 minutes';
BEGIN
    SELECT a.seq, least(a.next_request_at, far), least(a.next_token_at, far) INTO seq, next_request_at, next_token_at
    FROM zerodb.endpoint_admission AS a WHERE a.name = endpoint ORDER BY a.seq DESC LIMIT 1;
END
$$;

-- Until the end of the transaction nobody else is let in to the endpoint. Returns it as it is now. What is lost of it in a
-- crash is not missed, so nobody waits for the disk.
CREATE FUNCTION zerodb._lock_endpoint(endpoint text) RETURNS zerodb.endpoint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known zerodb.endpoint;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT e.* INTO known FROM zerodb.endpoint AS e WHERE e.name = endpoint FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        INSERT INTO zerodb.endpoint (name) VALUES (endpoint) ON CONFLICT (name) DO NOTHING;
        SELECT e.* INTO known FROM zerodb.endpoint AS e WHERE e.name = endpoint FOR NO KEY UPDATE;
    END IF;
    RETURN known;
END
$$;

-- API: public.
CREATE FUNCTION zerodb.resume_endpoint(endpoint text) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.resume_endpoint(text) IS
    'Ends the pause of an endpoint, as after its key was put right, closes its circuit and forgets what it has taught';

CREATE FUNCTION zerodb._resume_endpoint(caller oid, endpoint text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    before jsonb := (SELECT jsonb_build_object('paused_until', e.paused_until, 'pause_reason', e.pause_reason,
        'failures', e.failures, 'learned', e.learned) FROM zerodb.endpoint AS e WHERE e.name = endpoint);
BEGIN
    -- An opening that was told is followed by its end.
    PERFORM zerodb._close_circuit(endpoint);
    UPDATE zerodb.endpoint AS e
    SET paused_until = NULL, pause_reason = NULL, failures = 0, limited_at = NULL, learned = '{}',
        updated_at = clock_timestamp()
    WHERE e.name = endpoint;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no endpoint %', coalesce(quote_literal(endpoint), 'NULL')
            USING ERRCODE = 'P0002', HINT = 'SELECT name, state FROM zerodb.endpoints shows them.';
    END IF;
    PERFORM zerodb._audit('endpoint.resumed', zerodb._every_user(), NULL, endpoint, before, NULL);
END
$$;
