-- Functions of the library that are declared by hand: triggers, which read TriggerData directly, and what takes its
-- arguments as they come.

CREATE FUNCTION zerodb._capture() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_capture';
COMMENT ON FUNCTION zerodb._capture() IS
    'Records the events of one statement; its argument is the mapping that zerodb.watch made';
CREATE FUNCTION zerodb._as_owner(hook_id uuid, relid oid, action text, args jsonb, vectors real[]) RETURNS jsonb
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_as_owner';
COMMENT ON FUNCTION zerodb._as_owner(uuid, oid, text, jsonb, real[]) IS
    'Runs an action of a hook''s handler on a table, as a role that may';
CREATE FUNCTION zerodb._forget_mappings() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_forget_mappings';
CREATE FUNCTION zerodb._event_data(data json) RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'zerodb_event_data';

-- Asking it loads the library before a query on the views is planned, so that ids are looked up by index (lookup.rs).
CREATE FUNCTION zerodb._load(internal) RETURNS internal LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_load';
CREATE FUNCTION zerodb._event_id(xid xid8, ord integer) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE SUPPORT zerodb._load AS 'MODULE_PATHNAME', 'zerodb_event_id';
CREATE FUNCTION zerodb._event_xid(id text) RETURNS xid8
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'zerodb_event_xid';
CREATE FUNCTION zerodb._xid_end(xid xid8) RETURNS xid8
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'zerodb_xid_end';
CREATE FUNCTION zerodb._event_ord(id text) RETURNS integer
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'zerodb_event_ord';

-- The same of lists of ids, for conditions with IN.
CREATE FUNCTION zerodb._event_xids(ids text[]) RETURNS xid8[]
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT array_agg(zerodb._event_xid(i.id)) FROM unnest(ids) AS i (id) $$;
CREATE FUNCTION zerodb._event_ords(ids text[]) RETURNS integer[]
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT array_agg(zerodb._event_ord(i.id)) FROM unnest(ids) AS i (id) $$;
