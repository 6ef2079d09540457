-- API: public. What became of events, waiting for it, and doing it again.

CREATE VIEW zerodb.deliveries WITH (security_invoker = true) AS
SELECT
    d.id,
    zerodb._event_id(d.event_xid, d.event_ord) AS event_id,
    d.hook_id,
    d.state,
    d.attempts,
    d.due_at AS next_attempt_at,
    d.last_error,
    d.created_at,
    d.finished_at,
    d.user_id
FROM zerodb.delivery AS d
UNION ALL
SELECT c.id, zerodb._event_id(c.event_xid, c.event_ord), c.hook_id, 'completed', 1, NULL, NULL, c.created_at, c.finished_at, c.user_id
FROM zerodb._completed_delivery AS c
UNION ALL
SELECT r.id, zerodb._event_id(r.event_xid, r.event_ord), r.hook_id, 'running', 1, NULL, NULL, r.created_at, NULL, r.user_id
FROM zerodb._running_delivery AS r;
COMMENT ON VIEW zerodb.deliveries IS 'One event for one hook each, with its state';

CREATE VIEW zerodb.attempts WITH (security_invoker = true) AS
SELECT a.delivery_id, a.attempt, a.outcome, a.started_at, a.duration_ms, a.status, a.error, a.worker
FROM zerodb.attempt AS a
UNION ALL
SELECT e.id, 1, 'completed', e.started_at, e.duration_ms, e.status, NULL, c.worker
FROM zerodb.completion AS c
CROSS JOIN LATERAL unnest(c.ids, c.started_at, c.duration_ms, c.status) AS e (id, started_at, duration_ms, status)
WHERE c.started_at IS NOT NULL;
COMMENT ON VIEW zerodb.attempts IS 'The ledger: one row a try';

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
        SELECT q.id, q.hook_id, q.state, q.attempts, q.last_error FROM zerodb.delivery AS q
        WHERE q.event_xid = _event_progress.event_xid AND q.event_ord = _event_progress.event_ord
        UNION ALL
        SELECT c.id, c.hook_id, 'completed', 1, NULL FROM zerodb._completed_delivery AS c
        WHERE c.event_xid = _event_progress.event_xid AND c.event_ord = _event_progress.event_ord
            AND c.last_xid >= _event_progress.event_xid AND c.first_xid <= _event_progress.event_xid
        UNION ALL
        SELECT r.id, r.hook_id, 'running', 1, NULL FROM zerodb._running_delivery AS r
        WHERE r.event_xid = _event_progress.event_xid AND r.event_ord = _event_progress.event_ord
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
COMMENT ON FUNCTION zerodb.await_event(text, interval) IS 'Waits until every delivery of a committed event has ended: {"completed":n,"pending":n,"hook_warnings":[…]}';

CREATE FUNCTION zerodb._is_idle() RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT NOT EXISTS (SELECT FROM zerodb.delivery AS d WHERE d.due_at <= clock_timestamp()
            AND EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = d.hook_id AND h.is_active))
        AND NOT EXISTS (SELECT FROM zerodb.delivery AS d JOIN zerodb.lease AS l ON l.id = d.lease_id WHERE d.state = 'running')
        AND NOT EXISTS (SELECT FROM zerodb.batch AS b JOIN zerodb.lease AS l ON l.id = b.lease_id)
        AND NOT EXISTS (SELECT FROM zerodb.candidate AS c
            WHERE EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = c.hook_id AND h.is_active))
        AND NOT EXISTS (SELECT FROM zerodb.order_signal)
        AND NOT EXISTS (SELECT FROM zerodb._undispatched())
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
COMMENT ON FUNCTION zerodb.wait_idle(interval) IS 'True once no committed event is undispatched and no delivery is due or running; false at the timeout';

CREATE FUNCTION zerodb._no_delivery(id bigint) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'delivery % does not exist', coalesce(id::text, 'NULL')
        USING ERRCODE = 'P0002', HINT = 'SELECT id, state FROM zerodb.deliveries shows them.';
END
$$;

-- Gives a delivery that completed at its first attempt a row in zerodb.delivery, where it can be due again.
CREATE FUNCTION zerodb._reopen(caller oid, id bigint) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO zerodb.delivery (id, event_xid, event_ord, event_slot, hook_id, user_id, created_at, state, attempts)
    SELECT c.id, c.event_xid, c.event_ord, c.slot, c.hook_id, c.user_id, c.created_at, 'completed', 1
    FROM zerodb._completed_delivery AS c
    WHERE c.id = _reopen.id AND c.first_id <= _reopen.id AND c.last_id >= _reopen.id AND zerodb._acts_for(caller, c.user_id)
    ON CONFLICT DO NOTHING
$$;

-- The state of a delivery of a tenant that the role acts for, its row locked where it has one. P0002 when there is none.
CREATE FUNCTION zerodb._delivery_to_change(caller oid, delivery_id bigint) RETURNS zerodb.delivery_state
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state zerodb.delivery_state;
BEGIN
    SELECT d.state INTO state FROM zerodb.delivery AS d WHERE d.id = delivery_id AND zerodb._acts_for(caller, d.user_id) FOR UPDATE;
    IF NOT FOUND THEN
        SELECT 'running' INTO state FROM zerodb._running_delivery AS r WHERE r.id = delivery_id AND zerodb._acts_for(caller, r.user_id);
    END IF;
    IF state IS NULL THEN
        PERFORM zerodb._no_delivery(delivery_id);
    END IF;
    RETURN state;
END
$$;

CREATE FUNCTION zerodb.redeliver(delivery_id bigint) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.redeliver(bigint) IS 'Delivers once more, whatever the state but running; the delivery id stays the same';

CREATE FUNCTION zerodb._redeliver(caller oid, delivery_id bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM zerodb._reopen(caller, delivery_id);
    IF zerodb._delivery_to_change(caller, delivery_id) = 'running' THEN
        RAISE EXCEPTION 'delivery % is running', delivery_id
            USING ERRCODE = '55000', HINT = 'Wait for its end, then call redeliver again.';
    END IF;
    UPDATE zerodb.delivery AS d
    SET state = 'pending', attempts = 0, losses = 0, finished_at = NULL, last_error = NULL,
        -- An ordered one that is blocked stays so, and one that had ended becomes it: the first of its key goes next.
        due_at = CASE WHEN d.order_key IS NULL OR d.due_at IS NOT NULL THEN clock_timestamp() END
    WHERE d.id = delivery_id;
    PERFORM zerodb._wake();
END
$$;

CREATE FUNCTION zerodb.discard(delivery_id bigint) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.discard(bigint) IS 'Gives up a delivery that waits for an attempt, and tells on_hook_failure';

CREATE FUNCTION zerodb._discard(caller oid, delivery_id bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    old_state zerodb.delivery_state := zerodb._state_to_discard(caller, delivery_id);
BEGIN
    IF old_state NOT IN ('pending', 'retryable') THEN
        RAISE EXCEPTION 'delivery % is %', delivery_id, old_state
            USING ERRCODE = '55000', HINT = 'Only a delivery that waits for an attempt can be discarded.';
    END IF;
    UPDATE zerodb.delivery AS d
    SET state = 'discarded', due_at = NULL, finished_at = clock_timestamp(), last_error = 'discarded by hand'
    WHERE d.id = delivery_id;
    PERFORM zerodb._tell_discarded(delivery_id);
    -- The next one of its key may follow.
    PERFORM zerodb._wake();
END
$$;

-- The meta-event of a delivery that was discarded by hand; finish_deliveries.sql makes that of one whose attempt ended so.
CREATE FUNCTION zerodb._tell_discarded(delivery_id bigint) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT zerodb._emit_failure(jsonb_build_object('hook_id', d.hook_id, 'hook_name', h.hook_name, 'event', left(o.event_type, 100),
        'event_id', zerodb._event_id(d.event_xid, d.event_ord), 'delivery_id', d.id, 'attempts', d.attempts, 'last_error', d.last_error),
        o.project_id, nullif(d.user_id, zerodb._every_user()), o.bank_id)
    FROM zerodb.delivery AS d
    JOIN zerodb.outbox AS o ON o.slot = d.event_slot AND o.xid = d.event_xid AND o.ord = d.event_ord AND o.event_type <> 'on_hook_failure'
    LEFT JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id
    WHERE d.id = _tell_discarded.delivery_id
$$;

-- As _delivery_to_change, and `completed` for one that completed at its first attempt and has no row.
CREATE FUNCTION zerodb._state_to_discard(caller oid, delivery_id bigint) RETURNS zerodb.delivery_state
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM zerodb._completed_delivery AS c
        WHERE c.id = delivery_id AND c.first_id <= delivery_id AND c.last_id >= delivery_id AND zerodb._acts_for(caller, c.user_id))
    THEN
        RETURN 'completed';
    END IF;
    RETURN zerodb._delivery_to_change(caller, delivery_id);
END
$$;

-- The hook's "when" or "order_by", parsed; null when there is none and when it is none, which a trigger prevents.
CREATE FUNCTION zerodb._path(hook zerodb.zerodb_hooks, key text) RETURNS jsonpath
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (hook.hook_config ->> key)::jsonpath;
EXCEPTION WHEN syntax_error OR data_exception OR invalid_regular_expression THEN
    RETURN NULL;
END
$$;

-- Whether a "when" is true of an event's data. False, and no error, for JSON that jsonb does not take, such as \u0000 or a
-- number beyond all bounds, and whatever a condition fails on: one event must not stop the others. A call that is cancelled is an
-- error: OTHERS is all errors but that.
CREATE FUNCTION zerodb._is_true(data json, predicate jsonpath) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN coalesce(jsonb_path_match(data::jsonb, predicate, '{}', true), false);
EXCEPTION WHEN OTHERS THEN
    RETURN false;
END
$$;

-- True when the hook, as it is now, matches the event.
CREATE FUNCTION zerodb._matches(hook zerodb.zerodb_hooks, predicate jsonpath, event zerodb.outbox) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT hook.event_type = ANY (zerodb._patterns(event.event_type))
        AND (hook.user_id = zerodb._every_user() OR hook.user_id = event.user_id)
        AND (hook.project_id IS NULL OR hook.project_id = event.project_id)
        AND (NOT hook.hook_config ? 'when' OR zerodb._is_true(event.data, predicate))
$$;

CREATE FUNCTION zerodb.replay(
    hook_id uuid,
    since timestamptz,
    until timestamptz DEFAULT now(),
    dry_run boolean DEFAULT false
) RETURNS bigint
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.replay(uuid, timestamptz, timestamptz, boolean) IS 'Delivers the events of a time range to a hook again; returns how many';

CREATE FUNCTION zerodb._replay(caller oid, hook_id uuid, since timestamptz, until timestamptz, dry_run boolean) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    hook zerodb.zerodb_hooks := zerodb._hook_to_change(caller, hook_id);
    predicate jsonpath := zerodb._path(hook, 'when');
    order_by jsonpath := zerodb._path(hook, 'order_by');
    ordered boolean := hook.hook_config ? 'order_by';
    replayed bigint;
BEGIN
    IF since IS NULL OR until IS NULL OR since > until THEN
        RAISE EXCEPTION 'invalid range to replay'
            USING ERRCODE = '22023', HINT = 'Give since, and an until that is not before it.';
    END IF;
    PERFORM zerodb._check_steering(caller, hook);
    IF dry_run THEN
        SELECT count(*) INTO replayed FROM zerodb.outbox AS o
        WHERE o.created_at BETWEEN since AND until AND zerodb._matches(hook, predicate, o);
        RETURN replayed;
    END IF;
    INSERT INTO zerodb.delivery (event_xid, event_ord, event_slot, hook_id, user_id, due_at, order_key)
    SELECT o.xid, o.ord, o.slot, hook.id, hook.user_id, CASE WHEN NOT ordered THEN clock_timestamp() END,
        CASE WHEN ordered THEN zerodb._order_key(o.data, order_by) END
    FROM zerodb.outbox AS o
    WHERE o.created_at BETWEEN since AND until AND zerodb._matches(hook, predicate, o)
    ORDER BY o.xid, o.ord;
    GET DIAGNOSTICS replayed = ROW_COUNT;
    PERFORM zerodb._wake();
    RETURN replayed;
END
$$;

CREATE FUNCTION zerodb.status() RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH unread AS (
        SELECT o.created_at FROM zerodb._undispatched() AS o
    ), waiting AS (
        SELECT d.hook_id, count(*) AS n, count(*) FILTER (WHERE d.state = 'retryable') AS retryable, min(d.created_at) AS oldest
        FROM zerodb._waiting_delivery AS d GROUP BY d.hook_id
    ), ended AS (
        SELECT d.hook_id, (a.outcome = 'completed')::integer AS completed, (a.outcome = 'failed')::integer AS failed,
            (a.outcome = 'discarded')::integer AS discarded
        FROM zerodb.attempt AS a JOIN zerodb.delivery AS d ON d.id = a.delivery_id
        WHERE a.started_at > now() - interval '5 minutes'
        UNION ALL
        SELECT c.hook_id, c.size, 0, 0 FROM zerodb.completion AS c WHERE c.finished_at > now() - interval '5 minutes'
    ), recent AS (
        SELECT e.hook_id, sum(e.completed) AS completed, sum(e.failed) AS failed, sum(e.discarded) AS discarded
        FROM ended AS e GROUP BY e.hook_id
    )
    SELECT jsonb_build_object(
        'undispatched_events', (SELECT count(*) FROM unread),
        'waiting_deliveries', (SELECT coalesce(sum(w.n), 0) FROM waiting AS w),
        'undecided', (SELECT count(*) FROM zerodb.candidate),
        'running_deliveries', (SELECT count(*) FROM zerodb.delivery AS d JOIN zerodb.lease AS l ON l.id = d.lease_id WHERE d.state = 'running')
            + (SELECT count(*) FROM zerodb._running_delivery AS r JOIN zerodb.lease AS l ON l.id = r.lease_id),
        'oldest_age_seconds', (SELECT coalesce(round(extract(epoch FROM now() - least(
            (SELECT min(u.created_at) FROM unread AS u), (SELECT min(w.oldest) FROM waiting AS w))), 3), 0)),
        'attempts_per_second', (SELECT coalesce(round(sum(r.completed + r.failed + r.discarded) / 300.0, 2), 0) FROM recent AS r),
        'workers', (SELECT coalesce(jsonb_agg(jsonb_build_object('worker', l.worker, 'alive', l.expires_at > clock_timestamp()) ORDER BY l.id), '[]')
            FROM zerodb.lease AS l),
        'hooks', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', h.id, 'event_type', h.event_type, 'hook_name', h.hook_name,
            'is_active', h.is_active, 'fault', (SELECT f.reason FROM zerodb.hook_fault AS f WHERE f.hook_id = h.id), 'waiting', coalesce(w.n, 0), 'retryable', coalesce(w.retryable, 0),
            'completed_5m', coalesce(r.completed, 0), 'failed_5m', coalesce(r.failed, 0), 'discarded_5m', coalesce(r.discarded, 0))
            ORDER BY h.created_at, h.id), '[]')
            FROM zerodb.zerodb_hooks AS h LEFT JOIN waiting AS w ON w.hook_id = h.id LEFT JOIN recent AS r ON r.hook_id = h.id))
$$;
COMMENT ON FUNCTION zerodb.status() IS 'Backlog, oldest age, rate over five minutes, live workers and the health of each hook';
