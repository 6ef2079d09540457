-- Triggers that call the function of watches and that zerodb.watch did not make: without a mapping they record nothing, and a
-- constant user that watch did not note does not count. No parameters. Locks: none. Reads pg_trigger.
SELECT
    t.tgrelid::pg_catalog.regclass::pg_catalog.text AS target,
    t.tgname::pg_catalog.text AS name,
    w.trigger_id IS NULL AS is_useless
FROM pg_catalog.pg_trigger AS t
LEFT JOIN zerodb._watch_trigger AS w ON w.trigger_id OPERATOR(pg_catalog.=) t.oid
WHERE t.tgfoid OPERATOR(pg_catalog.=) 'zerodb._capture()'::pg_catalog.regprocedure AND t.tgparentid OPERATOR(pg_catalog.=) 0
    AND (w.trigger_id IS NULL
        OR pg_catalog.jsonb_typeof(w.mapping OPERATOR(pg_catalog.->) 'user_id') OPERATOR(pg_catalog.=) 'object'
        AND NOT EXISTS (SELECT FROM zerodb.watch_tenant AS n WHERE n.target OPERATOR(pg_catalog.=) t.tgrelid
            AND n.event_type OPERATOR(pg_catalog.=) (w.mapping OPERATOR(pg_catalog.->>) 'event')))
ORDER BY 1, 2
