-- Emptying partitions of the log. Called by the worker; owner's rights because TRUNCATE needs them.

-- True when everything in a partition of the log is older than the retention, dispatched, and without a delivery that
-- waits or runs. Looks at the ends of the partition, and at the deliveries of its events that are rows still, by their
-- index: not at all that wait, nor at all that a worker ever claimed. For it is asked once more under the lock.
CREATE FUNCTION zerodb._is_spent(slot integer, retention interval) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    newest timestamptz;
    oldest_xid xid8 := (SELECT o.xid FROM zerodb.outbox AS o WHERE o.slot = _is_spent.slot ORDER BY o.xid, o.ord LIMIT 1);
    newest_xid xid8;
BEGIN
    SELECT o.created_at, o.xid INTO newest, newest_xid FROM zerodb.outbox AS o
    WHERE o.slot = _is_spent.slot ORDER BY o.xid DESC, o.ord DESC LIMIT 1;
    RETURN newest <= clock_timestamp() - retention
        AND newest_xid < (SELECT pg_snapshot_xmin(c.done) FROM zerodb.cursor AS c ORDER BY c.seq DESC LIMIT 1)
        AND newest_xid < pg_snapshot_xmin(pg_current_snapshot())
        AND NOT EXISTS (SELECT FROM zerodb.batch AS b WHERE b.slot = _is_spent.slot)
        AND NOT EXISTS (SELECT FROM zerodb.candidate AS c
            WHERE c.event_xid BETWEEN oldest_xid AND newest_xid AND c.event_slot = _is_spent.slot)
        AND NOT EXISTS (SELECT FROM zerodb.delivery AS d
            WHERE d.event_xid BETWEEN oldest_xid AND newest_xid AND d.event_slot = _is_spent.slot
                AND (d.due_at IS NOT NULL
                    OR d.state = 'running' AND EXISTS (SELECT FROM zerodb.lease AS l WHERE l.id = d.lease_id)
                    OR EXISTS (SELECT FROM zerodb.order_queue AS q WHERE q.delivery_id = d.id)));
END
$$;

-- Empties the partition of the log that the clock will reach next, with the attempts and completions of that slot, once
-- it is spent. Returns whether it did. Gives up at once when the partition is locked: the caller comes again.
CREATE FUNCTION zerodb._rotate_log(slot integer, retention interval) RETURNS boolean
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS $$
BEGIN
    IF slot NOT BETWEEN 0 AND 7 THEN
        RAISE EXCEPTION 'there is no slot %', slot USING ERRCODE = '22023', HINT = 'Slots are 0 to 7.';
    END IF;
    IF zerodb._is_spent(slot, retention) IS NOT TRUE THEN
        RETURN false;
    END IF;
    EXECUTE format('LOCK TABLE zerodb.%I, zerodb.%I, zerodb.%I IN ACCESS EXCLUSIVE MODE',
        'outbox_' || slot, 'attempt_' || slot, 'completion_' || slot);
    -- Looked at again: a writer may have been waited for.
    IF zerodb._is_spent(slot, retention) IS NOT TRUE THEN
        RETURN false;
    END IF;
    EXECUTE format('TRUNCATE zerodb.%I, zerodb.%I, zerodb.%I', 'outbox_' || slot, 'attempt_' || slot,
        'completion_' || slot);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END
$$;
