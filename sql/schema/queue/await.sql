-- API: public. Waiting for the end of an event's deliveries, and of all.

-- One look at an event's deliveries: how many ended well, how many are still to end, and the warnings: of those that
-- were given up, and of those that failed and are tried again.
CREATE FUNCTION zerodb._event_progress(event_xid xid8, event_ord integer) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object(
        'completed', count(*) FILTER (WHERE d.state = 'completed'),
        'pending', count(*) FILTER (WHERE d.state IN ('pending', 'running', 'retryable')),
        'hook_warnings', coalesce(jsonb_agg(jsonb_build_object('hook_id', d.hook_id, 'hook_name', h.hook_name,
            'delivery_id', d.id, 'state', d.state, 'attempts', d.attempts, 'error', d.last_error) ORDER BY d.id)
            FILTER (WHERE d.state IN ('discarded', 'cancelled', 'retryable')
                OR d.state = 'running' AND d.last_error IS NOT NULL), '[]'))
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
    'Waits until every delivery of a committed event has ended: {"completed":n,"pending":n,"hook_warnings":[…]}, with a warning for what was given up and for what is still tried again';

-- One look at the deliveries of a transaction's events for hooks with "async": false: whether all have ended, and the
-- warnings, which are those of what has not ended well.
CREATE FUNCTION zerodb._sync_progress(written xid8, last_ord integer) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object(
        'ended', zerodb._is_dispatched(written, last_ord)
            AND count(*) FILTER (WHERE d.state IN ('pending', 'running', 'retryable')) = 0,
        'hook_warnings', coalesce(jsonb_agg(jsonb_build_object('event_id', zerodb._event_id(written, d.event_ord),
            'hook_id', d.hook_id, 'hook_name', h.hook_name, 'delivery_id', d.id, 'state', d.state,
            'attempts', d.attempts, 'error', d.last_error) ORDER BY d.event_ord, d.id)
            FILTER (WHERE d.state <> 'completed'), '[]'))
    FROM (
        SELECT q.id, q.event_ord, q.hook_id, q.state, q.attempts, q.last_error FROM zerodb._any_delivery AS q
        WHERE q.event_xid = written AND q.first_xid <= written AND q.last_xid >= written
        UNION ALL
        SELECT p.id, p.event_ord, p.hook_id, 'pending', 0, NULL FROM zerodb.candidate AS p WHERE p.event_xid = written
    ) AS d
    JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id AND h.hook_config -> 'async' = 'false'
$$;

CREATE FUNCTION zerodb.await_hooks(timeout interval DEFAULT '30 s') RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    began timestamptz;
    deadline timestamptz := clock_timestamp() + timeout;
    pause double precision := 0.002;
    written xid8;
    last_ord integer;
    progress jsonb := '{"hook_warnings": []}';
BEGIN
    IF zerodb._is_writing() THEN
        RAISE EXCEPTION 'this transaction has written events'
            USING ERRCODE = '55000', HINT = 'COMMIT first: nothing is delivered before.';
    ELSIF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'this transaction sees nothing that happens after it began'
            USING ERRCODE = '55000', HINT = 'Call zerodb.await_hooks at the isolation level READ COMMITTED.';
    END IF;
    written := zerodb._last_write()::text::xid8;
    SELECT max(o.ord) INTO last_ord FROM zerodb.outbox AS o WHERE o.xid = written;
    IF last_ord IS NULL THEN
        RETURN progress;
    END IF;
    LOOP
        began := clock_timestamp();
        progress := zerodb._sync_progress(written, last_ord);
        EXIT WHEN (progress ->> 'ended')::boolean OR clock_timestamp() >= deadline;
        -- A look at many deliveries takes long, and must not take all of the time.
        pause := greatest(least(pause * 1.5, 0.1), extract(epoch FROM clock_timestamp() - began));
        PERFORM pg_sleep(pause);
    END LOOP;
    RETURN progress - 'ended';
END
$$;
COMMENT ON FUNCTION zerodb.await_hooks(interval) IS
    'After COMMIT: waits for the hooks with "async": false of this session''s last transaction that wrote events, and returns {"hook_warnings":[…]} with what failed or has not ended; 55000 in a transaction that has written events';

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
