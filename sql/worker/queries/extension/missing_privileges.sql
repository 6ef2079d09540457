-- What zerodb.grant_worker gives and the current role does not have. No parameters.
-- Locks: none. Reads the catalogs of the schema zerodb.
SELECT w.privilege
FROM (
    SELECT p.privilege || ' on ' || c.oid::regclass AS privilege, has_table_privilege(c.oid, p.privilege) AS held
    FROM pg_class AS c
    CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) AS p (privilege)
    WHERE c.relnamespace = 'zerodb'::regnamespace AND c.relkind IN ('r', 'p', 'v')
        AND (p.privilege = 'SELECT' OR c.relname IN ('delivery', 'batch', 'completion', 'lease', 'cursor', 'attempt',
            'order_queue', 'order_signal', 'endpoint', 'endpoint_admission', 'usage_entry', 'usage_day', 'budget_hold', 'budget_total'))
    UNION ALL
    -- CASE, because the conditions below may be tried in any order and this one fails for a table.
    SELECT 'USAGE on sequence ' || c.oid::regclass,
        CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'USAGE') ELSE true END
    FROM pg_class AS c
    WHERE c.relnamespace = 'zerodb'::regnamespace AND c.relkind = 'S'
    UNION ALL
    SELECT 'EXECUTE on ' || f.oid::regprocedure, has_function_privilege(f.oid, 'EXECUTE')
    FROM pg_proc AS f
    WHERE f.pronamespace = 'zerodb'::regnamespace AND f.proname = ANY (zerodb._functions_of('worker'))
) AS w
WHERE NOT w.held
ORDER BY w.privilege
