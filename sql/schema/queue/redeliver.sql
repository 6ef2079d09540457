-- API: public. Delivering once more.

CREATE FUNCTION zerodb._no_delivery(id bigint) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'delivery % does not exist', coalesce(id::text, 'NULL')
        USING ERRCODE = 'P0002', HINT = 'SELECT id, state FROM zerodb.deliveries shows them.';
END
$$;

-- The delivery of that id which completed at its first attempt and has no row of its own, of a tenant that the role
-- acts for.
CREATE FUNCTION zerodb._completed_at_once(caller oid, delivery_id bigint) RETURNS SETOF zerodb._completed_delivery
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.* FROM zerodb._completed_delivery AS c
    WHERE c.id = _completed_at_once.delivery_id
        AND c.first_id <= _completed_at_once.delivery_id
        AND c.first_id > _completed_at_once.delivery_id - 2048
        AND c.last_id >= _completed_at_once.delivery_id
        AND zerodb._acts_for(caller, c.user_id)
$$;

-- Gives a delivery that completed at its first attempt a row in zerodb.delivery, where it can be due again.
CREATE FUNCTION zerodb._reopen(caller oid, id bigint) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO zerodb.delivery (id, event_xid, event_ord, event_slot, hook_id, user_id, created_at, state, attempts)
    SELECT c.id, c.event_xid, c.event_ord, c.slot, c.hook_id, c.user_id, c.created_at, 'completed', 1
    FROM zerodb._completed_at_once(caller, _reopen.id) AS c
    ON CONFLICT DO NOTHING
$$;

-- The state of a delivery of a tenant that the role acts for, its row locked where it has one. P0002 when there is
-- none.
CREATE FUNCTION zerodb._delivery_to_change(caller oid, delivery_id bigint) RETURNS zerodb.delivery_state
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state zerodb.delivery_state;
BEGIN
    SELECT d.state INTO state FROM zerodb.delivery AS d
        WHERE d.id = delivery_id AND zerodb._acts_for(caller, d.user_id) FOR UPDATE;
    IF NOT FOUND THEN
        SELECT 'running' INTO state FROM zerodb._running_delivery AS r
            WHERE r.id = delivery_id AND r.batch_id <= delivery_id AND r.last_id >= delivery_id
                AND zerodb._acts_for(caller, r.user_id);
    END IF;
    IF state IS NULL THEN
        PERFORM zerodb._no_delivery(delivery_id);
    END IF;
    RETURN state;
END
$$;

CREATE FUNCTION zerodb.redeliver(delivery_id bigint) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.redeliver(bigint) IS
    'Delivers once more, whatever the state but running; the delivery id stays the same';

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
    PERFORM zerodb._audit('delivery.redelivered', d.user_id, d.hook_id, delivery_id::text, NULL, NULL)
    FROM zerodb.delivery AS d WHERE d.id = delivery_id;
    PERFORM zerodb._wake();
END
$$;
