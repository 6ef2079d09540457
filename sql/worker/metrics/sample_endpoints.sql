-- Model endpoints and whether they are paused, a hundred at most. The names are those of the workers' files; those of users' webhooks
-- are no label.
-- Index: endpoint_pkey.
SELECT e.name, e.state = 'paused' AS paused FROM zerodb.endpoints AS e WHERE e.user_id IS NULL ORDER BY e.name LIMIT 100
