-- Gives back what leases held. In the transaction of lock_dead_leases.sql but in a later statement: only then its snapshot
-- has every claim made under them. $1 bigint[]: leases; $2 boolean: their workers died. The attempt is not charged; of a dead
-- worker it is counted as a loss. Index: delivery_lease.
WITH freed AS (
    UPDATE zerodb.delivery AS d
    SET state = 'retryable', due_at = clock_timestamp(), attempts = d.attempts - 1, losses = d.losses + $2::boolean::integer,
        last_error = 'the worker was lost: ' || l.worker
    FROM zerodb.lease AS l
    WHERE d.lease_id = ANY ($1::bigint[]) AND l.id = d.lease_id AND d.state = 'running' RETURNING d.id
), removed AS (
    DELETE FROM zerodb.lease AS l WHERE l.id = ANY ($1::bigint[])
)
SELECT count(*) FROM freed AS f
