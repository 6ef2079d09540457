-- The function of a `sql` hook, and whether a role may lend its rights to it.

-- True when a role may lend its rights to a function: it is the role's own, or of one that the role may act for, or of
-- one above all. A superuser may act for everybody, so only the first and the last count for it: an ordinary role's
-- function must not run with its rights.
CREATE FUNCTION zerodb._may_run(function oid, role oid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p.proowner = role OR f.rolsuper
        OR p.proowner IN (SELECT e.extowner FROM pg_extension AS e WHERE e.extname = 'zerodb_hooks')
        OR NOT r.rolsuper AND pg_has_role(role, p.proowner, 'USAGE')
        OR NOT r.rolsuper AND p.proowner IN (SELECT d.datdba FROM pg_database AS d WHERE d.datname = current_database())
    FROM pg_proc AS p JOIN pg_roles AS f ON f.oid = p.proowner JOIN pg_roles AS r ON r.oid = role
    WHERE p.oid = function
$$;

-- The function that a `sql` hook names, as Postgres writes it, with its arguments or without them; null where there is
-- none.
CREATE FUNCTION zerodb._named_function(name text) RETURNS regprocedure
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Only a list of arguments ends so: a name that does is quoted.
    RETURN to_regprocedure(CASE WHEN right(btrim(name), 1) = ')' THEN name ELSE name || '(jsonb)' END);
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END
$$;

-- A `sql` hook names a function of one jsonb argument that its owner may execute and may lend its rights to. 22023 when
-- there is none, 42501 when it may not.
CREATE FUNCTION zerodb._check_hook_function(role oid, hook_type text, hook_config jsonb) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text := hook_config ->> 'function';
    target regprocedure := zerodb._named_function(name);
BEGIN
    IF hook_type <> 'sql' THEN
        RETURN;
    END IF;
    IF target IS NULL THEN
        RAISE EXCEPTION 'function % does not exist', CASE WHEN right(btrim(name), 1) = ')' THEN name
            ELSE name || '(jsonb)' END
            USING ERRCODE = '22023', COLUMN = 'function',
                  HINT = 'Create it, and name it with its schema: {"function": "public.on_event"}.';
    END IF;
    IF (SELECT p.pronargs <> 1 OR p.proargtypes[0] <> 'jsonb'::regtype FROM pg_proc AS p WHERE p.oid = target) THEN
        RAISE EXCEPTION 'function % does not take an event', target
            USING ERRCODE = '22023', COLUMN = 'function', DETAIL = 'A hook calls its function with one argument of type jsonb.',
                  HINT = 'Name a function of that argument: {"function": "public.on_event"}, or "public.on_event(jsonb)".';
    END IF;
    IF NOT (has_function_privilege(role, target, 'EXECUTE') AND has_schema_privilege(role,
        (SELECT p.pronamespace FROM pg_proc AS p WHERE p.oid = target), 'USAGE'))
    THEN
        RAISE EXCEPTION 'permission denied for function %', target
            USING ERRCODE = '42501', COLUMN = 'function', HINT = 'The hook runs as its owner, who needs EXECUTE on the function.';
    END IF;
    IF zerodb._may_run(target, role) IS NOT TRUE THEN
        RAISE EXCEPTION 'function % is another role''s', target
            USING ERRCODE = '42501', COLUMN = 'function',
                  DETAIL = 'Whoever owns the function could do anything with the rights of '
                      || quote_ident(pg_get_userbyid(role)) || '.',
                  HINT = 'Make the hook as the owner of the function, or have the function owned by the hook''s owner.';
    END IF;
END
$$;
