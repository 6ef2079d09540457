-- What is called for a `sql` hook, as whom, and with what.

-- What the function of a `sql` hook is called with: the envelope of an event of the log that the hook's pattern, user
-- and project cover. 42501 for another event, so that the worker cannot make one up; P0002 where the event or the hook
-- has gone; 22P05 for data that jsonb cannot hold.
CREATE FUNCTION zerodb._hook_envelope(hook_id uuid, event_id text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    envelope jsonb := zerodb.event_json(event_id);
BEGIN
    IF NOT EXISTS (
        SELECT FROM zerodb._event_key(event_id) AS k
        JOIN zerodb.outbox AS o ON o.xid = k.xid AND o.ord = k.ord
        JOIN zerodb.zerodb_hooks AS h ON h.id = hook_id AND h.hook_type = 'sql'
        WHERE h.event_type = ANY (zerodb._patterns(o.event_type))
            AND (h.user_id = zerodb._every_user() OR h.user_id = o.user_id)
            AND (h.project_id IS NULL OR h.project_id = o.project_id))
    THEN
        RAISE EXCEPTION 'event % is none of the hook''s', quote_literal(event_id)
            USING ERRCODE = '42501', HINT = 'A hook''s function is called only for events that match the hook.';
    END IF;
    IF jsonb_exists(envelope -> 'data', '_unreadable') THEN
        BEGIN
            -- An event may have a field of that name.
            PERFORM o.data::jsonb FROM zerodb._event_key(event_id) AS k
                JOIN zerodb.outbox AS o ON o.xid = k.xid AND o.ord = k.ord;
        EXCEPTION WHEN OTHERS THEN
            RAISE EXCEPTION 'the event''s data cannot be given to a function: %', envelope -> 'data' ->> '_unreadable'
                USING ERRCODE = '22P05', DETAIL = 'jsonb cannot hold them.', HINT = 'A webhook gets the JSON as it is.';
        END;
    END IF;
    RETURN envelope;
END
$$;

-- The function of a `sql` hook and its owner: both null where there is no such hook.
CREATE FUNCTION zerodb._hook_function(hook_id uuid, OUT owner oid, OUT function text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT zerodb._hook_owner(h.id), h.hook_config ->> 'function'
    FROM zerodb.zerodb_hooks AS h WHERE h.id = _hook_function.hook_id AND h.hook_type = 'sql'
$$;
