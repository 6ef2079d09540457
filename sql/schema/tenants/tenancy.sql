-- Who is calling: the tenant that a role acts for, roles that are bound to tenants, and the roles that see every
-- tenant.

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

CREATE FUNCTION zerodb._sees_all(role oid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT has_function_privilege(role, 'zerodb._all_tenants()', 'EXECUTE') $$;

CREATE FUNCTION zerodb._sees_all() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT has_function_privilege('zerodb._all_tenants()', 'EXECUTE') $$;

-- Roles that act for certain tenants only, whatever zerodb.user_id says. The oid counts; the name is for a restore,
-- where oids are others.
CREATE TABLE zerodb.tenant_binding (
    role oid NOT NULL,
    role_name name NOT NULL,
    user_id uuid NOT NULL CHECK (user_id <> '00000000-0000-0000-0000-000000000000'),
    PRIMARY KEY (role_name, user_id)
);
COMMENT ON TABLE zerodb.tenant_binding IS
    'Roles and the tenants they are bound to; 0 is a role that did not exist when this was restored';
SELECT pg_catalog.pg_extension_config_dump('zerodb.tenant_binding', '');
ALTER TABLE zerodb.tenant_binding ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON zerodb.tenant_binding FOR SELECT USING (pg_has_role(role, 'USAGE') OR (SELECT zerodb._sees_all()));

CREATE FUNCTION zerodb._find_bound_role() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    new.role := coalesce((SELECT r.oid FROM pg_roles AS r WHERE r.rolname = new.role_name), 0);
    RETURN new;
END
$$;
CREATE TRIGGER find_bound_role BEFORE INSERT OR UPDATE ON zerodb.tenant_binding
FOR EACH ROW EXECUTE FUNCTION zerodb._find_bound_role();

-- The tenants that a role is bound to: by itself, or by a role whose privileges it has. Empty for a role that is not
-- bound.
CREATE FUNCTION zerodb._bound_tenants(role oid) RETURNS uuid[]
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(array_agg(DISTINCT b.user_id), '{}') FROM zerodb.tenant_binding AS b
    WHERE CASE WHEN b.role <> 0 THEN pg_has_role(_bound_tenants.role, b.role, 'USAGE')
        ELSE b.role_name = pg_get_userbyid(_bound_tenants.role) END
$$;

-- The tenant that a role acts for: the one that zerodb.user_id names; of a bound role, its own. Null when there is
-- none, and for "every user", which is no tenant but a right.
CREATE FUNCTION zerodb._tenant(role oid) RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    asked uuid := nullif(nullif(current_setting('zerodb.user_id', true), '')::uuid, zerodb._every_user());
    bound uuid[];
BEGIN
    IF zerodb._sees_all(role) THEN
        RETURN asked;
    END IF;
    bound := zerodb._bound_tenants(role);
    IF cardinality(bound) = 0 THEN
        RETURN asked;
    ELSIF asked IS NULL THEN
        RETURN CASE WHEN cardinality(bound) = 1 THEN bound[1] END;
    END IF;
    RETURN CASE WHEN asked = ANY (bound) THEN asked END;
END
$$;

CREATE FUNCTION zerodb._current_role() RETURNS oid
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT to_regrole(quote_ident(current_user))::oid $$;

-- The tenant of the current user, for policies.
CREATE FUNCTION zerodb._user_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT zerodb._tenant(zerodb._current_role()) $$;

-- Whether a role acts for a tenant, or for every user.
CREATE FUNCTION zerodb._acts_for(role oid, tenant uuid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT zerodb._sees_all(role) OR coalesce(tenant = zerodb._tenant(role), false) $$;

-- The tenant a call of a role is for: the one asked for, else that of the role, else "every user" for a role with admin
-- rights. 42501 when the role may not act for it.
CREATE FUNCTION zerodb._acting_user(role oid, wanted uuid) RETURNS uuid
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    mine uuid := zerodb._tenant(role);
    admin boolean := zerodb._sees_all(role);
    bound uuid[] := zerodb._bound_tenants(role);
BEGIN
    wanted := coalesce(wanted, mine, CASE WHEN admin THEN zerodb._every_user() END);
    IF admin OR wanted = mine THEN
        RETURN wanted;
    ELSIF cardinality(bound) > 0 THEN
        RAISE EXCEPTION 'role % is bound to its tenant', quote_ident(pg_get_userbyid(role))
            USING ERRCODE = '42501', DETAIL = 'zerodb.user_id does not change for whom a bound role acts.',
                  HINT = 'Leave zerodb.user_id at its tenant: ' || array_to_string(bound, ', ') || '.';
    ELSIF wanted IS NULL THEN
        RAISE EXCEPTION 'no user is set'
            USING ERRCODE = '42501',
                  DETAIL = 'The role ' || quote_ident(pg_get_userbyid(role))
                      || ' has no admin rights, so the call must name a user.',
                  HINT = 'SET zerodb.user_id = ''<uuid of the user>'', or ask an administrator for zerodb.grant_admin('
                      || quote_literal(pg_get_userbyid(role)) || ').';
    END IF;
    RAISE EXCEPTION 'may not act for user %', wanted
        USING ERRCODE = '42501',
              DETAIL = 'zerodb.user_id is ' || coalesce(mine::text, 'not set, or names every user') || '.',
              HINT = 'SET zerodb.user_id to that user, or ask an administrator for zerodb.grant_admin('
                  || quote_literal(pg_get_userbyid(role)) || ').';
END
$$;

CREATE FUNCTION zerodb._acting_user(wanted uuid) RETURNS uuid
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT zerodb._acting_user(zerodb._current_role(), wanted) $$;

-- API: public. From here on a role acts for this tenant, and for no other but those it is bound to as well.
CREATE FUNCTION zerodb.bind_tenant(role regrole, user_id uuid) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.bind_tenant(regrole, uuid) IS
    'Ties a role, and its members, to a tenant: zerodb.user_id can then name no other';

CREATE FUNCTION zerodb._bind_tenant(caller oid, role regrole, user_id uuid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF role IS NULL OR user_id IS NULL OR user_id = zerodb._every_user() THEN
        RAISE EXCEPTION 'a role is bound to one tenant'
            USING ERRCODE = '22023', HINT = 'Give a role, and the UUID of a user that is not the one for every user.';
    END IF;
    IF zerodb._sees_all(role::oid) THEN
        RAISE EXCEPTION 'role % acts for every tenant', role
            USING ERRCODE = '22023', HINT = 'Only a role with no more than zerodb.grant_user can be bound.';
    END IF;
    -- A store asks for the tenant by _user_id, and takes the setting of a role that may not ask.
    IF NOT has_function_privilege(role, 'zerodb._user_id()', 'EXECUTE') THEN
        RAISE EXCEPTION 'role % has no rights of a user', role
            USING ERRCODE = '22023', HINT = format('SELECT zerodb.grant_user(%L) first.', role);
    END IF;
    INSERT INTO zerodb.tenant_binding AS b (role, role_name, user_id)
    SELECT r.oid, r.rolname, _bind_tenant.user_id FROM pg_roles AS r WHERE r.oid = _bind_tenant.role
    ON CONFLICT ON CONSTRAINT tenant_binding_pkey DO UPDATE SET role = excluded.role;
    PERFORM zerodb._audit('tenant.bound', user_id, NULL, role::text, NULL, NULL);
END
$$;

CREATE FUNCTION zerodb.unbind_tenant(role regrole, user_id uuid DEFAULT NULL) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.unbind_tenant(regrole, uuid) IS
    'Frees a role from one tenant, or from all; P0002 when it was not bound';

CREATE FUNCTION zerodb._unbind_tenant(caller oid, role regrole, user_id uuid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    freed uuid[];
BEGIN
    WITH gone AS (
        DELETE FROM zerodb.tenant_binding AS b
        WHERE b.role = _unbind_tenant.role AND (_unbind_tenant.user_id IS NULL OR b.user_id = _unbind_tenant.user_id)
        RETURNING b.user_id
    )
    SELECT coalesce(array_agg(g.user_id), '{}') INTO freed FROM gone AS g;
    IF cardinality(freed) = 0 THEN
        RAISE EXCEPTION 'role % is not bound%', role, coalesce(' to user ' || user_id, '')
            USING ERRCODE = 'P0002', HINT = 'SELECT role_name, user_id FROM zerodb.tenant_binding shows who is.';
    END IF;
    PERFORM zerodb._audit('tenant.unbound', f.user_id, NULL, role::text, NULL, NULL) FROM unnest(freed) AS f (user_id);
END
$$;
