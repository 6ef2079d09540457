-- API: public. Delivering the events of a time range again.

CREATE FUNCTION zerodb.replay(
    hook_id uuid,
    since timestamptz,
    until timestamptz DEFAULT now(),
    dry_run boolean DEFAULT false
) RETURNS bigint
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.replay(uuid, timestamptz, timestamptz, boolean) IS
    'Delivers the events of a time range to a hook again; returns how many';

CREATE FUNCTION zerodb._replay(caller oid, hook_id uuid, since timestamptz, until timestamptz, dry_run boolean)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    hook zerodb.zerodb_hooks := zerodb._hook_to_change(caller, hook_id);
    predicate jsonpath := zerodb._path(hook, 'when');
    order_by jsonpath := zerodb._path(hook, 'order_by');
    ordered boolean := hook.hook_config ? 'order_by';
    prefix text := CASE WHEN hook.event_type = '*' THEN '' WHEN hook.event_type LIKE '%.*' THEN left(hook.event_type, -1) END;
    span record;
    replayed bigint;
BEGIN
    IF since IS NULL OR until IS NULL OR since > until THEN
        RAISE EXCEPTION 'invalid range to replay'
            USING ERRCODE = '22023', HINT = 'Give since, and an until that is not before it.';
    END IF;
    PERFORM zerodb._check_steering(caller, hook);
    SELECT s.first, s.last INTO span FROM zerodb._xids_between(since, until) AS s;
    IF dry_run THEN
        SELECT count(*) INTO replayed FROM zerodb.outbox AS o
        WHERE (span.first IS NULL OR o.xid >= span.first) AND (span.last IS NULL OR o.xid < span.last)
            AND o.created_at BETWEEN since AND until
            AND (o.event_type = hook.event_type OR starts_with(o.event_type, prefix))
            AND zerodb._matches(hook, predicate, o);
        RETURN replayed;
    END IF;
    INSERT INTO zerodb.delivery (event_xid, event_ord, event_slot, hook_id, user_id, due_at, order_key)
    SELECT o.xid, o.ord, o.slot, hook.id, hook.user_id, CASE WHEN NOT ordered THEN clock_timestamp() END,
        CASE WHEN ordered THEN zerodb._order_key(o.data, order_by) END
    FROM zerodb.outbox AS o
    WHERE (span.first IS NULL OR o.xid >= span.first) AND (span.last IS NULL OR o.xid < span.last)
        AND o.created_at BETWEEN since AND until
        AND (o.event_type = hook.event_type OR starts_with(o.event_type, prefix))
        AND zerodb._matches(hook, predicate, o)
    ORDER BY o.xid, o.ord;
    GET DIAGNOSTICS replayed = ROW_COUNT;
    PERFORM zerodb._audit('hook.replayed', hook.user_id, hook.id, hook.hook_name, NULL,
        jsonb_build_object('since', since, 'until', until, 'events', replayed));
    PERFORM zerodb._wake();
    RETURN replayed;
END
$$;
