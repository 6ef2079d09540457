-- API: public. Giving up a delivery by hand.

CREATE FUNCTION zerodb.discard(delivery_id bigint) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.discard(bigint) IS
    'Gives up a delivery that waits for an attempt, and tells on_hook_failure';

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
    PERFORM zerodb._audit('delivery.discarded', d.user_id, d.hook_id, delivery_id::text,
        jsonb_build_object('state', old_state), NULL)
    FROM zerodb.delivery AS d WHERE d.id = delivery_id;
    -- The next one of its key may follow.
    PERFORM zerodb._wake();
END
$$;

-- The meta-event of a delivery that was discarded by hand; finish_deliveries.sql makes that of one whose attempt ended
-- so.
CREATE FUNCTION zerodb._tell_discarded(delivery_id bigint) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT zerodb._emit_failure(jsonb_build_object('kind', 'discarded', 'hook_id', d.hook_id, 'hook_name', h.hook_name, 'event',
        left(o.event_type, 100),
        'event_id', zerodb._event_id(d.event_xid, d.event_ord), 'delivery_id', d.id, 'attempts', d.attempts,
            'last_error', d.last_error),
        o.project_id, nullif(d.user_id, zerodb._every_user()), o.bank_id)
    FROM zerodb.delivery AS d
    JOIN zerodb.outbox AS o ON o.slot = d.event_slot AND o.xid = d.event_xid AND o.ord = d.event_ord
        AND o.event_type <> 'on_hook_failure'
    LEFT JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id
    WHERE d.id = _tell_discarded.delivery_id
$$;

-- As _delivery_to_change, and `completed` for one that completed at its first attempt and has no row.
CREATE FUNCTION zerodb._state_to_discard(caller oid, delivery_id bigint) RETURNS zerodb.delivery_state
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM zerodb._completed_at_once(caller, delivery_id)) THEN
        RETURN 'completed';
    END IF;
    RETURN zerodb._delivery_to_change(caller, delivery_id);
END
$$;
