-- API: public. Waiting for the end of an event's deliveries, and of all.

-- One look at an event's deliveries: how many ended well, how many are still to end, and the warnings of the rest.
CREATE FUNCTION zerodb._event_progress(event_xid xid8, event_ord integer) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object(
        'completed', count(*) FILTER (WHERE d.state = 'completed'),
        'pending', count(*) FILTER (WHERE d.state IN ('pending', 'running', 'retryable')),
        'hook_warnings', coalesce(jsonb_agg(jsonb_build_object('hook_id', d.hook_id, 'hook_name', h.hook_name,
            'delivery_id', d.id, 'state', d.state, 'attempts', d.attempts, 'error', d.last_error) ORDER BY d.id)
            FILTER (WHERE d.state IN ('discarded', 'cancelled')), '[]'))
    FROM (
        SELECT q.id, q.hook_id, q.state, q.attempts, q.last_error FROM zerodb._any_delivery AS q
        WHERE q.event_xid = _event_progress.event_xid AND q.event_ord = _event_progress.event_ord
            AND q.first_xid <= _event_progress.event_xid AND q.last_xid >= _event_progress.event_xid
            AND q.last_xid < zerodb._xid_end(_event_progress.event_xid)
        UNION ALL
        SELECT p.id, p.hook_id, 'pending', 0, NULL FROM zerodb.candidate AS p
        WHERE p.event_xid = _event_progress.event_xid AND p.event_ord = _event_progress.event_ord
    ) AS d
    LEFT JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id
$$;

CREATE FUNCTION zerodb.await_event(id text, timeout interval DEFAULT '30 s') RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    deadline timestamptz := clock_timestamp() + timeout;
    pause double precision := 0.002;
    key record;
    dispatched boolean;
    progress jsonb;
BEGIN
    SELECT k.xid, k.ord INTO key FROM zerodb._event_key(await_event.id) AS k;
    IF key.xid IS NOT NULL AND key.xid = pg_current_xact_id_if_assigned() THEN
        RAISE EXCEPTION 'event % belongs to this transaction', await_event.id
            USING ERRCODE = '55000', HINT = 'COMMIT first: nothing is delivered before.';
    END IF;
    PERFORM FROM zerodb.outbox AS o WHERE o.xid = key.xid AND o.ord = key.ord;
    IF NOT FOUND THEN
        PERFORM zerodb._no_event(await_event.id);
    END IF;
    LOOP
        dispatched := zerodb._is_dispatched(key.xid, key.ord);
        progress := zerodb._event_progress(key.xid, key.ord);
        EXIT WHEN dispatched AND (progress ->> 'pending')::bigint = 0 OR clock_timestamp() >= deadline;
        PERFORM pg_sleep(pause);
        pause := least(pause * 1.5, 0.1);
    END LOOP;
    RETURN progress;
END
$$;
COMMENT ON FUNCTION zerodb.await_event(text, interval) IS
    'Waits until every delivery of a committed event has ended: {"completed":n,"pending":n,"hook_warnings":[…]}';

CREATE FUNCTION zerodb._is_idle() RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT NOT EXISTS (SELECT FROM zerodb.delivery AS d WHERE d.due_at <= clock_timestamp()
            AND EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = d.hook_id AND h.is_active))
        AND NOT EXISTS (SELECT FROM zerodb.delivery AS d JOIN zerodb.lease AS l ON l.id = d.lease_id
            WHERE d.state = 'running')
        AND NOT EXISTS (SELECT FROM zerodb.batch AS b JOIN zerodb.lease AS l ON l.id = b.lease_id)
        AND NOT EXISTS (SELECT FROM zerodb.candidate AS c
            WHERE EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = c.hook_id AND h.is_active))
        AND NOT EXISTS (SELECT FROM zerodb.order_signal)
        AND NOT EXISTS (SELECT FROM zerodb._undispatched(1))
$$;

CREATE FUNCTION zerodb.wait_idle(timeout interval DEFAULT '30 s') RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    deadline timestamptz := clock_timestamp() + timeout;
    pause double precision := 0.002;
BEGIN
    LOOP
        IF zerodb._is_idle() THEN
            RETURN true;
        ELSIF clock_timestamp() >= deadline THEN
            RETURN false;
        END IF;
        PERFORM pg_sleep(pause);
        pause := least(pause * 1.5, 0.1);
    END LOOP;
END
$$;
COMMENT ON FUNCTION zerodb.wait_idle(interval) IS
    'True once no committed event is undispatched and no delivery is due or running; false at the timeout';
