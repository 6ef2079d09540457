-- Cancels deliveries that wait, blocked ones too, for a hook which is gone without its trigger having run, and drops its candidates.
-- $1 int: most of each. Returns how many. Locks: FOR UPDATE SKIP LOCKED. Indexes: delivery_queue, order_queue_place, candidate_pkey.
WITH waiting AS MATERIALIZED (
    SELECT d.id FROM zerodb._waiting_delivery AS w JOIN zerodb.delivery AS d ON d.id = w.id AND d.state IN ('pending', 'retryable')
    WHERE NOT EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = w.hook_id)
    LIMIT $1::integer FOR UPDATE OF d SKIP LOCKED
), cancelled AS (
    UPDATE zerodb.delivery AS d
    SET state = 'cancelled', due_at = NULL, finished_at = clock_timestamp(), last_error = 'the hook was deleted'
    FROM waiting AS w WHERE d.id = w.id
), undecided AS MATERIALIZED (
    SELECT c.id FROM zerodb.candidate AS c
    WHERE NOT EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = c.hook_id)
    LIMIT $1::integer FOR UPDATE SKIP LOCKED
), dropped AS (
    DELETE FROM zerodb.candidate AS c USING undecided AS u WHERE c.id = u.id
)
SELECT (SELECT count(*) FROM waiting) + (SELECT count(*) FROM undecided)
