-- The deliveries of the bench that were made and completed since a point in time, and how long after it the last one was.
-- $1 uuid: hook; $2 timestamptz: since.
-- Locks: none. Reads what is kept of the hook. Index: completion_hook.
SELECT count(*) AS completed, coalesce(extract(epoch FROM max(d.finished_at) - $2::timestamptz), 0)::double precision AS seconds
FROM zerodb.deliveries AS d
WHERE d.hook_id = $1::uuid AND d.state = 'completed' AND d.created_at >= $2::timestamptz
