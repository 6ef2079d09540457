-- Whether the current role may use the schema, and may ask which functions a worker needs. No parameters.
-- Locks: none. Reads the catalogs by oid, because a name needs the right to use the schema.
SELECT has_schema_privilege('zerodb', 'USAGE') AS usable,
    (SELECT bool_and(has_function_privilege(p.oid, 'EXECUTE')) FROM pg_proc AS p
        WHERE p.pronamespace = 'zerodb'::regnamespace AND p.proname = '_functions_of') AS has_list
