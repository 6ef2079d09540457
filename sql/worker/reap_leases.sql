-- Gives back what dead workers held. The attempt is not charged; if the worker died it is counted as a loss.
-- $1 bigint: one's own lease, to give back at the end, or null for expired ones.
-- Locks: FOR UPDATE SKIP LOCKED, so that several reapers share the work. Index: delivery_lease.
WITH dead AS MATERIALIZED (
    SELECT l.id, l.worker FROM zerodb.lease AS l
    WHERE CASE WHEN $1::bigint IS NULL THEN l.expires_at < clock_timestamp() ELSE l.id = $1::bigint END
    FOR UPDATE SKIP LOCKED
), removed AS (
    DELETE FROM zerodb.lease AS l USING dead WHERE l.id = dead.id
), freed AS (
    UPDATE zerodb.delivery AS d
    SET state = 'retryable', due_at = clock_timestamp(), attempts = d.attempts - 1, losses = d.losses + ($1::bigint IS NULL)::integer, last_error = 'the worker was lost: ' || dead.worker
    FROM dead
    WHERE d.lease_id = ANY (ARRAY(SELECT one.id FROM dead AS one)) AND d.lease_id = dead.id AND d.state = 'running' RETURNING d.id
)
SELECT (SELECT count(*) FROM dead) AS leases, (SELECT count(*) FROM freed) AS deliveries
