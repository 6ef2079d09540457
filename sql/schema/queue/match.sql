-- Whether a hook wants an event.

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

-- Whether a "when" is true of an event's data. False, and no error, for JSON that jsonb does not take, such as \u0000
-- or a number beyond all bounds, and whatever a condition fails on: one event must not stop the others. A call that is
-- cancelled is an error: OTHERS is all errors but that.
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
