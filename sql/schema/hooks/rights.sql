-- With whose rights a hook works, and who may say what it does.

-- Whether a hook sends the text of a row.
CREATE FUNCTION zerodb._includes_content(hook_type text, hook_config jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT hook_type = 'webhook' AND coalesce(hook_config -> 'include_content' = 'true', false) $$;

-- Hooks that read or write with the rights of their owner; of the others the owner does not matter.
CREATE FUNCTION zerodb._uses_rights(hook zerodb.zerodb_hooks) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT hook.hook_type IN ('sql', 'first_party') OR zerodb._includes_content(hook.hook_type, hook.hook_config)
$$;

-- Makes a role the owner of a hook. A superuser is warned: what the hook does is then done with its rights.
CREATE FUNCTION zerodb._own_hook(hook zerodb.zerodb_hooks, role oid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE zerodb.hook_detail AS d SET owner = role, owner_name = pg_get_userbyid(role) WHERE d.hook_id = hook.id;
    IF zerodb._uses_rights(hook) AND (SELECT r.rolsuper FROM pg_roles AS r WHERE r.oid = role) THEN
        RAISE WARNING 'hook % works with the rights of a superuser', quote_literal(hook.hook_name)
            USING HINT = 'Make it as an ordinary role: zerodb.grant_user(role), then SET ROLE.';
    END IF;
END
$$;

-- True when a role may say what a hook does: it may act for the hook's owner, or the hook uses nobody's rights.
CREATE FUNCTION zerodb._may_steer(caller oid, hook zerodb.zerodb_hooks) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT NOT zerodb._uses_rights(hook) OR EXISTS (
        SELECT FROM zerodb.hook_detail AS d JOIN pg_roles AS r ON r.oid = d.owner
        WHERE d.hook_id = hook.id AND pg_has_role(caller, r.oid, 'USAGE'))
$$;

-- 42501 for a role that would work through another's rights.
CREATE FUNCTION zerodb._check_steering(caller oid, hook zerodb.zerodb_hooks) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner_name text := (SELECT quote_ident(r.rolname) FROM zerodb.hook_detail AS d JOIN pg_roles AS r ON r.oid = d.owner
        WHERE d.hook_id = hook.id);
BEGIN
    IF NOT zerodb._may_steer(caller, hook) THEN
        RAISE EXCEPTION 'hook % works with the rights of %', quote_literal(hook.hook_name),
            coalesce('role ' || owner_name, 'nobody')
            USING ERRCODE = '42501',
                  DETAIL = 'The role ' || quote_ident(pg_get_userbyid(caller)) || ' may not act for that role.',
                  HINT = 'Ask a member of that role, or make it your own: SELECT zerodb.take_hook('
                      || quote_literal(hook.id) || ').';
    END IF;
END
$$;

-- What a config makes the hook do: without the keys that say when, how often, how patiently and by which file.
CREATE FUNCTION zerodb._steering_keys(hook_config jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT hook_config - '{when,order_by,max_attempts,concurrency,timeout_ms,disable_after_hours,retry_count,rate_limit,retry_delay_ms,managed_by}'::text[] $$;
