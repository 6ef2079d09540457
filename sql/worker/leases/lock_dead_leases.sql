-- Locks the leases that are to be given back: those that have expired, or one's own at the end. $1 bigint: own, or null.
-- Locks: FOR UPDATE SKIP LOCKED; waits for no claim, and after it no claim under these leases can begin.
SELECT l.id FROM zerodb.lease AS l
WHERE CASE WHEN $1::bigint IS NULL THEN l.expires_at < clock_timestamp() ELSE l.id = $1::bigint END
FOR UPDATE SKIP LOCKED
