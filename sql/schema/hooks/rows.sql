-- Triggers on the rows of hooks: what they refuse, what they keep beside a row, and what a deleted hook leaves behind.

-- 22023 unless the text of a key of the config is a jsonpath (or null).
CREATE FUNCTION zerodb._check_path(key text, path text, hint text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM path::jsonpath WHERE path IS NOT NULL;
EXCEPTION WHEN syntax_error OR data_exception OR invalid_regular_expression THEN
    RAISE EXCEPTION 'invalid value for "%" in hook_config', key
        USING ERRCODE = '22023', COLUMN = key, DETAIL = SQLERRM, HINT = hint;
END
$$;

-- 22023 for a config that is larger than the setting allows: every delivery and every look at the hooks would carry it.
CREATE FUNCTION zerodb._check_config_size(hook_config jsonb) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most bigint := zerodb._limit('max_config_size');
    has bigint := octet_length(hook_config::text);
BEGIN
    IF has > most THEN
        RAISE EXCEPTION 'hook_config is too large'
            USING ERRCODE = '22023', DETAIL = format('It has %s bytes; zerodb.max_config_size is %s.', has, most),
                  HINT = 'Keep large texts in a table, and name them in the event''s data.';
    END IF;
END
$$;

-- The config as it is kept, once it has been checked: without its nulls, for a key that is null is one that was left out.
-- What an in-process handler makes of its own keys is its own matter. 22023 for the first thing that is wrong.
CREATE FUNCTION zerodb._checked_config(hook_type text, hook_name text, hook_config jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM zerodb._check_config_size(hook_config);
    PERFORM zerodb._check_hook(hook_type, hook_name, hook_config::text);
    IF hook_type = 'function' THEN
        RETURN hook_config - ARRAY(SELECT k FROM unnest('{max_attempts,concurrency,timeout_ms,disable_after_hours,managed_by}'::text[]) AS k
            WHERE hook_config -> k = 'null');
    END IF;
    RETURN jsonb_strip_nulls(hook_config);
END
$$;

-- Refuses a bad hook whichever way it is written, and keeps updated_at.
CREATE FUNCTION zerodb._check_hook_row() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    new.hook_config := zerodb._checked_config(new.hook_type, new.hook_name, new.hook_config);
    PERFORM zerodb._check_path('when', new.hook_config ->> 'when',
        'Give a jsonpath predicate over the event''s data, such as ''$.size_bytes > 1000''.');
    PERFORM zerodb._check_path('order_by', new.hook_config ->> 'order_by',
        'Give a jsonpath to the key within the event''s data, such as ''$.entity_id''.');
    IF TG_OP = 'UPDATE' THEN
        new.updated_at := clock_timestamp();
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER check_hook BEFORE INSERT OR UPDATE ON zerodb.zerodb_hooks
FOR EACH ROW EXECUTE FUNCTION zerodb._check_hook_row();

-- Whoever makes a hook is its owner: the current user here, or, where the API makes it, the one that it names right
-- after. Changing a hook never changes its owner.
CREATE FUNCTION zerodb._record_hook_detail() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO zerodb.hook_detail (hook_id, owner_name, predicate, order_by, conditional, ordered, simple)
        VALUES (new.id, current_user, (new.hook_config ->> 'when')::jsonpath,
            (new.hook_config ->> 'order_by')::jsonpath,
            new.hook_config ? 'when', new.hook_config ? 'order_by',
            zerodb._is_simple(new.hook_config ->> 'when') AND zerodb._is_simple(new.hook_config ->> 'order_by'));
    ELSE
        UPDATE zerodb.hook_detail AS d
        SET predicate = (new.hook_config ->> 'when')::jsonpath, order_by = (new.hook_config ->> 'order_by')::jsonpath,
            conditional = new.hook_config ? 'when', ordered = new.hook_config ? 'order_by',
            simple = zerodb._is_simple(new.hook_config ->> 'when') AND zerodb._is_simple(new.hook_config ->> 'order_by')
        WHERE d.hook_id = new.id;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER record_hook_detail AFTER INSERT OR UPDATE OF hook_config, hook_type ON zerodb.zerodb_hooks
FOR EACH ROW EXECUTE FUNCTION zerodb._record_hook_detail();

-- A deleted hook's waiting deliveries are cancelled; one that is running ends by itself.
CREATE FUNCTION zerodb._cancel_deliveries() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE zerodb.delivery AS d
    SET state = 'cancelled', due_at = NULL, finished_at = clock_timestamp(), last_error = 'the hook was deleted'
    FROM zerodb._waiting_delivery AS w
    WHERE w.hook_id = old.id AND d.id = w.id AND d.state IN ('pending', 'retryable');
    DELETE FROM zerodb.candidate AS c WHERE c.hook_id = old.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER cancel_deliveries AFTER DELETE ON zerodb.zerodb_hooks
FOR EACH ROW EXECUTE FUNCTION zerodb._cancel_deliveries();

CREATE FUNCTION zerodb._cancel_all_deliveries() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE zerodb.delivery AS d
    SET state = 'cancelled', due_at = NULL, finished_at = clock_timestamp(), last_error = 'the hook was deleted'
    FROM zerodb._waiting_delivery AS w
    WHERE d.id = w.id AND d.state IN ('pending', 'retryable');
    DELETE FROM zerodb.candidate;
    RETURN NULL;
END
$$;
CREATE TRIGGER cancel_all_deliveries AFTER TRUNCATE ON zerodb.zerodb_hooks
FOR EACH STATEMENT EXECUTE FUNCTION zerodb._cancel_all_deliveries();
