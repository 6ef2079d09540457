-- Gives back what leases held. In the transaction of lock_dead_leases.sql but in a later statement: only then its snapshot
-- has every claim made and every outcome written under them. $1 bigint[]: leases; $2 boolean: their workers died. The attempt
-- is not charged; of a dead worker it is counted as a loss. Indexes: delivery_lease, batch_lease, completion_first.
WITH freed AS (
    UPDATE zerodb.delivery AS d
    SET state = 'retryable', due_at = clock_timestamp(), attempts = d.attempts - 1, losses = d.losses + $2::boolean::integer,
        last_error = 'the worker was lost: ' || l.worker
    FROM zerodb.lease AS l
    WHERE d.lease_id = ANY ($1::bigint[]) AND l.id = d.lease_id AND d.state = 'running' RETURNING d.id
), spilled AS (
    INSERT INTO zerodb.delivery (id, event_xid, event_ord, event_slot, hook_id, user_id, created_at, state, due_at, losses, epoch, last_error)
    SELECT r.id, r.event_xid, r.event_ord, r.slot, r.hook_id, r.user_id, r.created_at, 'retryable', clock_timestamp(),
        $2::boolean::integer, 1, 'the worker was lost: ' || l.worker
    FROM zerodb._running_delivery AS r JOIN zerodb.lease AS l ON l.id = r.lease_id
    WHERE r.lease_id = ANY ($1::bigint[]) RETURNING id
), emptied AS (
    DELETE FROM zerodb.batch AS b WHERE b.lease_id = ANY ($1::bigint[])
), removed AS (
    DELETE FROM zerodb.lease AS l WHERE l.id = ANY ($1::bigint[])
)
SELECT (SELECT count(*) FROM freed) + (SELECT count(*) FROM spilled)
