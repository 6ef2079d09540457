-- Triggers of watches, and of the extension's own tables, that are switched off or do not always fire. No parameters.
-- Locks: none. Relies on pg_trigger_tgrelid_tgname_index and pg_proc_proname_args_nsp_index.
SELECT
    t.tgrelid::regclass::text AS target,
    t.tgname::text AS name,
    p.proname = '_capture' AS is_watch,
    t.tgenabled::text AS enabled
FROM pg_trigger AS t
JOIN pg_proc AS p ON p.oid = t.tgfoid
WHERE p.pronamespace = 'zerodb'::regnamespace AND NOT t.tgisinternal
    AND (t.tgenabled IN ('D', 'R') OR (t.tgenabled = 'O' AND p.proname IN ('_capture', '_forget_mappings', '_tell_writers')))
ORDER BY 1, 2
