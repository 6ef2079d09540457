-- The endpoints of webhooks that are paused or whose circuit is open, 10,000 at most; a worker asks once a second at most while it
-- sends webhooks. No parameters. Locks: none. Index: endpoint_held.
SELECT e.name FROM zerodb.endpoint AS e
WHERE e.user_id IS NOT NULL AND e.paused_until IS NOT NULL
    AND (e.opened_at IS NOT NULL OR e.paused_until > clock_timestamp())
LIMIT 10000
