-- API: public. Signing secrets that the product makes itself. The server only ever sees them sealed: a worker or the
-- command line draws one, and seals it under a key that is in its environment alone.

-- The secrets of a hook. Number 0 stands for what the config or the worker's environment gave before the first change;
-- the last one has no end. One that is not sealed yet is made by whoever signs with it first.
CREATE TABLE zerodb.signing_secret (
    hook_id uuid NOT NULL REFERENCES zerodb.zerodb_hooks ON DELETE CASCADE,
    number integer NOT NULL,
    sealed bytea CHECK (octet_length(sealed) <= 1024),
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    valid_until timestamptz,
    shown_at timestamptz,
    PRIMARY KEY (hook_id, number)
);
COMMENT ON TABLE zerodb.signing_secret IS 'Signing secrets made by zerodb.rotate_secret, sealed under a key that the server never has';
COMMENT ON COLUMN zerodb.signing_secret.valid_until IS 'Requests are signed with it until then; null: the newest';
COMMENT ON COLUMN zerodb.signing_secret.shown_at IS 'When `zerodb-hooks secret` printed it, which it does once';
SELECT pg_catalog.pg_extension_config_dump('zerodb.signing_secret', '');

-- What a tenant may know of them. Column by column is granted what the view shows, and never what is sealed.
CREATE VIEW zerodb.signing_secrets WITH (security_invoker = true) AS
SELECT s.hook_id, h.hook_name, s.number, CASE WHEN s.number > 0 THEN s.made_at END AS made_at, s.valid_until,
    s.valid_until IS NULL OR s.valid_until > now() AS is_valid, s.shown_at
FROM zerodb.signing_secret AS s JOIN zerodb.zerodb_hooks AS h ON h.id = s.hook_id;
COMMENT ON VIEW zerodb.signing_secrets IS
    'The signing secrets of webhooks after zerodb.rotate_secret, without the secrets themselves: requests are signed with each that is valid; valid_until is null for the newest; number 0 is what signed before the first rotation';

CREATE FUNCTION zerodb.rotate_secret(hook_id uuid, grace interval DEFAULT '24 h') RETURNS integer
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.rotate_secret(uuid, interval) IS
    'Gives a webhook a new signing secret and returns its number; for the time of grace requests carry a signature of the old one too; `zerodb-hooks secret` shows it once; P0002 when absent, 22023 for another type of hook, 54000 for more than five at once';

-- Five at most sign at once, so that the header stays short. With a grace of 0 all older ones end now.
CREATE FUNCTION zerodb._rotate_secret(caller oid, hook_id uuid, grace interval) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    hook zerodb.zerodb_hooks := zerodb._hook_to_change(caller, hook_id);
    until timestamptz;
    last integer;
    made integer;
BEGIN
    PERFORM zerodb._check_steering(caller, hook);
    IF hook.hook_type <> 'webhook' THEN
        RAISE EXCEPTION 'hook % signs nothing', quote_literal(hook.hook_name)
            USING ERRCODE = '22023', HINT = 'Only webhooks have signing secrets.';
    ELSIF grace IS NULL OR grace < interval '0' OR grace > interval '30 days' THEN
        RAISE EXCEPTION 'invalid time of grace' USING ERRCODE = '22023', DETAIL = 'Expected 0 to 30 days.',
            HINT = 'Leave it out for 24 hours; 0 ends the old secret now.';
    END IF;
    until := clock_timestamp() + grace;
    SELECT max(s.number) INTO last FROM zerodb.signing_secret AS s WHERE s.hook_id = hook_id;
    IF last IS NULL THEN
        INSERT INTO zerodb.signing_secret (hook_id, number, valid_until) VALUES (hook_id, 0, until);
    END IF;
    UPDATE zerodb.signing_secret AS s SET valid_until = least(s.valid_until, until) WHERE s.hook_id = hook_id;
    DELETE FROM zerodb.signing_secret AS s WHERE s.hook_id = hook_id AND s.valid_until <= clock_timestamp();
    IF (SELECT count(*) FROM zerodb.signing_secret AS s WHERE s.hook_id = hook_id) >= 5 THEN
        RAISE EXCEPTION 'hook % has five signing secrets already', quote_literal(hook.hook_name)
            USING ERRCODE = '54000', HINT = 'Wait until a time of grace has ended, or give a grace of 0.';
    END IF;
    made := coalesce(last, 0) + 1;
    INSERT INTO zerodb.signing_secret (hook_id, number) VALUES (hook_id, made);
    -- The worker keeps what it has loaded of a hook by its version.
    UPDATE zerodb.zerodb_hooks AS h SET updated_at = clock_timestamp() WHERE h.id = hook_id;
    PERFORM zerodb._audit('secret.rotated', hook.user_id, hook_id, hook.hook_name, jsonb_build_object('number', last),
        jsonb_build_object('number', made, 'grace', grace));
    RETURN made;
END
$$;

-- Keeps a sealed secret where there is none yet, and returns the one that is kept; null where another session holds it,
-- or it is gone. So of two that draw one at the same time both sign with the same. For the worker and the command line.
CREATE FUNCTION zerodb._seal_secret(hook_id uuid, number integer, sealed bytea) RETURNS bytea
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    kept bytea;
BEGIN
    SELECT s.sealed INTO kept FROM zerodb.signing_secret AS s
    WHERE s.hook_id = hook_id AND s.number = number AND s.number > 0 FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND OR kept IS NOT NULL THEN
        RETURN kept;
    END IF;
    UPDATE zerodb.signing_secret AS s SET sealed = sealed WHERE s.hook_id = hook_id AND s.number = number;
    -- Other workers load the hook again, unless somebody changes it right now, after which they do so anyway.
    UPDATE zerodb.zerodb_hooks AS h SET updated_at = clock_timestamp() WHERE h.id IN (
        SELECT l.id FROM zerodb.zerodb_hooks AS l WHERE l.id = hook_id FOR NO KEY UPDATE SKIP LOCKED);
    RETURN sealed;
END
$$;

-- True once: whoever is told so may show the secret.
CREATE FUNCTION zerodb._show_secret(hook_id uuid, number integer) RETURNS boolean
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
    UPDATE zerodb.signing_secret AS s SET shown_at = clock_timestamp()
    WHERE s.hook_id = hook_id AND s.number = number AND s.shown_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM zerodb._audit('secret.shown', h.user_id, h.id, h.hook_name, NULL, jsonb_build_object('number', number))
    FROM zerodb.zerodb_hooks AS h WHERE h.id = hook_id;
    RETURN true;
END
$$;
