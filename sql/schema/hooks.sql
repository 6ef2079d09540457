-- The hooks and what the dispatcher needs to know of them. Columns, constraint and indexes are those of the ZeroDB
-- document; NULLS NOT DISTINCT makes a global hook (null project) unique too.

CREATE TABLE zerodb.zerodb_hooks (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    project_id uuid,
    event_type varchar(100) NOT NULL,
    hook_type varchar(50) NOT NULL DEFAULT 'first_party',
    hook_name varchar(100) NOT NULL,
    hook_config jsonb NOT NULL DEFAULT '{}',
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uix_zerodb_hooks_user_event_name UNIQUE NULLS NOT DISTINCT (user_id, project_id, event_type, hook_name)
);
CREATE INDEX idx_zerodb_hooks_user_id ON zerodb.zerodb_hooks (user_id);
CREATE INDEX idx_zerodb_hooks_event_type ON zerodb.zerodb_hooks (event_type);
CREATE INDEX idx_zerodb_hooks_active ON zerodb.zerodb_hooks (is_active) WHERE is_active = true;
COMMENT ON TABLE zerodb.zerodb_hooks IS 'Hooks: which handler runs for which events';
SELECT pg_catalog.pg_extension_config_dump('zerodb.zerodb_hooks', '');

-- What follows from a hook and has no column in the document: the role with whose rights it works (`sql` and first-party hooks
-- do), its "when" predicate and its "order_by" path, parsed once. A hook whose config holds "when" and that has no row here
-- matches nothing; with "order_by" and none here, all its deliveries are of one key. The owner is an oid, so that the hooks of a
-- dropped role belong to nobody, and not to the next one of that name; the name is for a restore, where oids are others.
CREATE TABLE zerodb.hook_detail (
    hook_id uuid PRIMARY KEY REFERENCES zerodb.zerodb_hooks ON DELETE CASCADE,
    owner oid,
    owner_name name NOT NULL,
    predicate jsonpath,
    order_by jsonpath,
    conditional boolean NOT NULL DEFAULT false,
    ordered boolean NOT NULL DEFAULT false,
    simple boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE zerodb.hook_detail IS 'Owner, parsed "when" predicate and parsed "order_by" path of each hook';
COMMENT ON COLUMN zerodb.hook_detail.owner IS 'Null: nobody; see zerodb.take_hook';
COMMENT ON COLUMN zerodb.hook_detail.conditional IS 'The config holds "when"; ordered: "order_by". So dispatch reads no config';
COMMENT ON COLUMN zerodb.hook_detail.simple IS 'Both are so simple that dispatch may evaluate them itself, see candidates.sql';
SELECT pg_catalog.pg_extension_config_dump('zerodb.hook_detail', '');

-- A restore loads both tables, and loading the first has filled the second: the dumped row wins. Its owner is the role that has
-- the name now; where there is none, nobody.
CREATE FUNCTION zerodb._replace_hook_detail() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    new.owner := (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = new.owner_name);
    UPDATE zerodb.hook_detail AS d SET owner = new.owner, owner_name = new.owner_name, predicate = new.predicate,
        order_by = new.order_by, conditional = new.conditional, ordered = new.ordered, simple = new.simple
    WHERE d.hook_id = new.hook_id;
    RETURN CASE WHEN FOUND THEN NULL ELSE new END;
END
$$;
CREATE TRIGGER replace_hook_detail BEFORE INSERT ON zerodb.hook_detail
FOR EACH ROW EXECUTE FUNCTION zerodb._replace_hook_detail();

-- 22023 unless the text of a key of the config is a jsonpath (or null).
CREATE FUNCTION zerodb._check_path(key text, path text, hint text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM path::jsonpath WHERE path IS NOT NULL;
EXCEPTION WHEN syntax_error OR data_exception OR invalid_regular_expression THEN
    RAISE EXCEPTION 'invalid value for "%" in hook_config', key
        USING ERRCODE = '22023', DETAIL = SQLERRM, HINT = hint;
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

-- A config without its nulls: a key that is null is one that was left out. What an in-process handler makes of its own keys is its
-- own matter.
CREATE FUNCTION zerodb._without_nulls(hook_type text, hook_config jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN hook_type <> 'function' THEN jsonb_strip_nulls(hook_config)
        ELSE hook_config - ARRAY(SELECT k FROM unnest('{max_attempts,concurrency,timeout_ms}'::text[]) AS k WHERE hook_config -> k = 'null') END
$$;

-- Refuses a bad hook whichever way it is written, and keeps updated_at.
CREATE FUNCTION zerodb._check_hook_row() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM zerodb._check_config_size(new.hook_config);
    PERFORM zerodb._check_hook(new.hook_type, new.hook_name, new.hook_config::text);
    new.hook_config := zerodb._without_nulls(new.hook_type, new.hook_config);
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

-- Whoever makes a hook is its owner: the current user here, or, where the API makes it, the one that it names right after.
-- Changing a hook never changes its owner.
CREATE FUNCTION zerodb._record_hook_detail() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO zerodb.hook_detail (hook_id, owner_name, predicate, order_by, conditional, ordered, simple)
        VALUES (new.id, current_user, (new.hook_config ->> 'when')::jsonpath, (new.hook_config ->> 'order_by')::jsonpath,
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

-- Every backend forgets which event types are wanted. ALWAYS, so that a hook written under replica role counts too.
CREATE TRIGGER forget_wanted AFTER INSERT OR UPDATE OR DELETE ON zerodb.zerodb_hooks
FOR EACH STATEMENT EXECUTE FUNCTION zerodb._forget_wanted();
ALTER TABLE zerodb.zerodb_hooks ENABLE ALWAYS TRIGGER forget_wanted;
