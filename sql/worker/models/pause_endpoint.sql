-- Lets nobody in to an endpoint for a while; the pause that ends later counts. $1 text: endpoint; $2 bigint: ms; $3 text: reason.
-- Locks: the endpoint. Index: endpoint_pkey.
INSERT INTO zerodb.endpoint AS e (name, paused_until, pause_reason, failures)
VALUES ($1::text, clock_timestamp() + $2::bigint * interval '1 millisecond', $3::text, 1)
ON CONFLICT (name) DO UPDATE
SET paused_until = excluded.paused_until, pause_reason = excluded.pause_reason, updated_at = clock_timestamp(),
    failures = CASE WHEN e.paused_until > clock_timestamp() THEN e.failures
        WHEN e.paused_until > clock_timestamp() - interval '1 minute' THEN e.failures + 1 ELSE 1 END
WHERE e.paused_until IS NULL OR e.paused_until < excluded.paused_until
