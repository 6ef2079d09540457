-- The statements by which an administrator gives this role what the bench needs beside the rights of a worker, and which
-- it does not have yet. No parameters.
-- Locks: none. Reads the catalogs of the schema zerodb; by oid, because a name needs the right to use the schema.
SELECT g.statement
FROM (
    SELECT format('GRANT CREATE ON DATABASE %I TO %I', current_database(), current_user) AS statement,
        has_database_privilege(current_database(), 'CREATE') AS held
    UNION ALL
    SELECT format('SELECT zerodb.grant_admin(%L)', quote_ident(current_user)),
        (SELECT bool_and(has_function_privilege(f.oid, 'EXECUTE')) FROM pg_proc AS f
            WHERE f.pronamespace = 'zerodb'::regnamespace
                AND f.proname IN ('register_event_type', '_all_tenants', 'watch', 'unwatch', 'create_hook', 'delete_hook', '_capture'))
) AS g
WHERE NOT g.held
