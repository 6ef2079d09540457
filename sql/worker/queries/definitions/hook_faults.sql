-- Active hooks that cannot run or never match, with the fault: no_function, no_owner, no_execute, no_predicate; and hooks that the
-- worker has switched off: switched_off, with the reason in place of the function. No parameters.
-- Locks: none. Reads all hooks; relies on hook_detail_pkey and pg_proc_proname_args_nsp_index. Looks functions up in the
-- catalog, because to_regprocedure raises where the role may not use the function's schema.
WITH hook AS (
    SELECT h.id, h.hook_name::text AS hook_name, h.hook_type, h.hook_config ? 'when' AS has_when, d.owner, d.owner_name, d.predicate,
        coalesce(h.hook_config ->> 'function', '') AS function,
        h.hook_type IN ('sql', 'first_party') OR h.hook_type = 'webhook' AND h.hook_config @> '{"include_content": true}' AS uses_rights,
        -- Without a list of arguments, which a quoted name does not end with.
        CASE WHEN h.hook_type = 'sql' THEN parse_ident(regexp_replace(h.hook_config ->> 'function', '[(][^()"]*[)] *$', '')) END AS path
    FROM zerodb.zerodb_hooks AS h
    LEFT JOIN zerodb.hook_detail AS d ON d.hook_id = h.id
    WHERE h.is_active
)
SELECT h.id, h.hook_name, f.fault, h.function, coalesce(r.rolname, h.owner_name, '')::text AS owner
FROM hook AS h
LEFT JOIN pg_roles AS r ON r.oid = h.owner
LEFT JOIN pg_namespace AS n
    ON n.nspname = coalesce(h.path[cardinality(h.path) - 1], 'pg_catalog')
LEFT JOIN pg_proc AS p
    ON p.pronamespace = n.oid AND p.proname = h.path[cardinality(h.path)]
    AND p.proargtypes = oidvectorin('jsonb'::regtype::oid::text::cstring)
CROSS JOIN LATERAL (SELECT CASE
    WHEN h.has_when AND h.predicate IS NULL THEN 'no_predicate'
    WHEN h.uses_rights AND r.oid IS NULL THEN 'no_owner'
    WHEN h.hook_type <> 'sql' THEN NULL
    WHEN p.oid IS NULL THEN 'no_function'
    WHEN NOT has_function_privilege(r.oid, p.oid, 'EXECUTE') THEN 'no_execute'
    END) AS f (fault)
WHERE f.fault IS NOT NULL
UNION ALL
SELECT h.id, h.hook_name::text, 'switched_off', x.reason, ''
FROM zerodb.hook_fault AS x JOIN zerodb.zerodb_hooks AS h ON h.id = x.hook_id AND NOT h.is_active
ORDER BY 2, 1
