-- Active hooks that cannot run or never match, with the fault: no_function, no_owner, no_execute, no_predicate. No parameters.
-- Locks: none. Reads all hooks; relies on hook_detail_pkey.
WITH hook AS (
    SELECT h.id, h.hook_name::text AS hook_name, d.owner, h.hook_config, d.predicate, h.hook_type,
        CASE WHEN h.hook_type = 'sql' THEN pg_catalog.to_regprocedure((h.hook_config ->> 'function') || '(jsonb)') END AS function
    FROM zerodb.zerodb_hooks AS h
    LEFT JOIN zerodb.hook_detail AS d ON d.hook_id = h.id
    WHERE h.is_active
)
SELECT h.id, h.hook_name, f.fault, coalesce(h.hook_config ->> 'function', '') AS function, coalesce(h.owner::text, '') AS owner
FROM hook AS h
LEFT JOIN pg_catalog.pg_roles AS r ON r.rolname = h.owner
CROSS JOIN LATERAL (SELECT CASE
    WHEN h.hook_config ? 'when' AND h.predicate IS NULL THEN 'no_predicate'
    WHEN h.hook_type = 'sql' AND h.function IS NULL THEN 'no_function'
    WHEN h.hook_type = 'sql' AND r.oid IS NULL THEN 'no_owner'
    WHEN h.hook_type = 'sql' AND NOT pg_catalog.has_function_privilege(r.oid, h.function, 'EXECUTE') THEN 'no_execute'
    END) AS f (fault)
WHERE f.fault IS NOT NULL
ORDER BY h.hook_name, h.id
