-- The endpoints of webhooks that are paused or whose circuit is open, 10,000 at most, and 200 of a user, so that nobody's drop off the
-- list because another has many. A worker asks once a second at most while it sends webhooks. No parameters. Locks: none.
-- Index: endpoint_held.
SELECT q.name
FROM (
    SELECT e.name, row_number() OVER (PARTITION BY e.user_id ORDER BY e.updated_at DESC) AS n FROM zerodb.endpoint AS e
    WHERE e.user_id IS NOT NULL AND e.paused_until IS NOT NULL
        AND (e.opened_at IS NOT NULL OR e.paused_until > clock_timestamp())
) AS q
WHERE q.n <= 200
ORDER BY q.n
LIMIT 10000
