-- Forgets endpoints of webhooks and hooks that nothing is held by any more, and circuits that nobody asked about for an hour, each with
-- its admissions. No parameters. Locks: none that is waited for. Indexes: endpoint_pkey, endpoint_admission_pkey backwards.
WITH idle AS MATERIALIZED (
    SELECT e.name FROM zerodb.endpoint AS e
    WHERE e.user_id IS NOT NULL AND (e.paused_until IS NULL OR e.paused_until < clock_timestamp())
        AND e.updated_at < clock_timestamp() - CASE WHEN e.opened_at IS NULL THEN interval '10 minutes' ELSE interval '1 hour' END
        AND coalesce((SELECT a.at FROM zerodb.endpoint_admission AS a WHERE a.name = e.name ORDER BY a.seq DESC LIMIT 1)
            < clock_timestamp() - interval '10 minutes', true)
    LIMIT 10000 FOR UPDATE SKIP LOCKED
), admissions AS (
    DELETE FROM zerodb.endpoint_admission AS a USING idle AS i WHERE a.name = i.name
)
DELETE FROM zerodb.endpoint AS e USING idle AS i WHERE e.name = i.name
