-- Who is calling: the tenant named by zerodb.user_id, and the roles that see every tenant.

CREATE FUNCTION zerodb._user_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT nullif(current_setting('zerodb.user_id', true), '')::uuid $$;

-- The user id that means "every user".
CREATE FUNCTION zerodb._every_user() RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT '00000000-0000-0000-0000-000000000000'::uuid $$;

-- EXECUTE on this function is the right to act for every tenant: grant_admin and grant_worker give it. A function's
-- privilege, unlike a policy made later, is kept by pg_dump.
CREATE FUNCTION zerodb._all_tenants() RETURNS void
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT $$;
REVOKE ALL ON FUNCTION zerodb._all_tenants() FROM PUBLIC;

CREATE FUNCTION zerodb._sees_all() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT has_function_privilege('zerodb._all_tenants()', 'EXECUTE') $$;

-- The tenant a call acts for: the one asked for, else zerodb.user_id, else "every user" for a role with admin rights.
-- 42501 when the caller may not act for it.
CREATE FUNCTION zerodb._acting_user(wanted uuid) RETURNS uuid
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    mine uuid := zerodb._user_id();
    admin boolean := zerodb._sees_all();
BEGIN
    IF wanted IS NULL THEN
        wanted := coalesce(mine, CASE WHEN admin THEN zerodb._every_user() END);
    END IF;
    IF wanted IS NULL THEN
        RAISE EXCEPTION 'no user is set'
            USING ERRCODE = '42501',
                  DETAIL = 'The role ' || quote_ident(current_user) || ' has no admin rights, so the call must name a user.',
                  HINT = 'SET zerodb.user_id = ''<uuid of the user>'', or ask an administrator for zerodb.grant_admin('
                      || quote_literal(current_user) || ').';
    END IF;
    IF NOT admin AND wanted IS DISTINCT FROM mine THEN
        RAISE EXCEPTION 'may not act for user %', wanted
            USING ERRCODE = '42501',
                  DETAIL = 'zerodb.user_id is ' || coalesce(mine::text, 'not set') || '.',
                  HINT = 'SET zerodb.user_id to that user, or ask an administrator for zerodb.grant_admin('
                      || quote_literal(current_user) || ').';
    END IF;
    RETURN wanted;
END
$$;
