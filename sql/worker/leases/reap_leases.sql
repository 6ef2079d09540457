-- Gives back what leases held. In the transaction of lock_dead_leases.sql but in a later statement: only then its snapshot
-- has every claim made and every outcome written under them. $1 bigint[]: leases; $2 boolean: their workers died. The attempt
-- is not charged; of a dead worker it is counted as a loss. A row that another session holds is left, and its lease with it, for the
-- next time. Locks: deliveries and batches FOR UPDATE SKIP LOCKED. Indexes: delivery_lease, batch_lease, completion_first.
WITH mine AS MATERIALIZED (
    SELECT d.id FROM zerodb.delivery AS d
    WHERE d.lease_id = ANY ($1::bigint[]) AND d.state = 'running' FOR UPDATE SKIP LOCKED
), batches AS MATERIALIZED (
    SELECT b.id FROM zerodb.batch AS b WHERE b.lease_id = ANY ($1::bigint[]) FOR UPDATE SKIP LOCKED
), freed AS (
    UPDATE zerodb.delivery AS d
    SET state = 'retryable', due_at = clock_timestamp(), attempts = greatest(d.attempts, 1) - 1,
        losses = least(greatest(d.losses, 0) + $2::boolean::integer, 32000)::smallint,
        last_error = 'the worker was lost: ' || l.worker
    FROM mine AS m, zerodb.lease AS l
    WHERE d.id = m.id AND l.id = d.lease_id RETURNING d.id
), spilled AS (
    INSERT INTO zerodb.delivery (id, event_xid, event_ord, event_slot, hook_id, user_id, created_at, state, due_at, losses, epoch, last_error)
    SELECT r.id, r.event_xid, r.event_ord, r.slot, r.hook_id, r.user_id, r.created_at, 'retryable', clock_timestamp(),
        $2::boolean::integer, 1, 'the worker was lost: ' || l.worker
    FROM zerodb._running_delivery AS r JOIN zerodb.lease AS l ON l.id = r.lease_id
    WHERE r.lease_id = ANY ($1::bigint[]) AND r.batch_id IN (SELECT b.id FROM batches AS b)
    ON CONFLICT (id) DO NOTHING RETURNING id
), emptied AS (
    DELETE FROM zerodb.batch AS b USING batches AS m WHERE b.id = m.id
), removed AS (
    DELETE FROM zerodb.lease AS l WHERE l.id = ANY ($1::bigint[])
        AND NOT EXISTS (SELECT FROM zerodb.delivery AS d WHERE d.lease_id = l.id AND d.state = 'running' AND d.id NOT IN (SELECT m.id FROM mine AS m))
        AND NOT EXISTS (SELECT FROM zerodb.batch AS b WHERE b.lease_id = l.id AND b.id NOT IN (SELECT m.id FROM batches AS m))
)
SELECT (SELECT count(*) FROM freed) + (SELECT count(*) FROM spilled)
