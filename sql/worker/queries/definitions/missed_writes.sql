-- Watches whose table is written through others, or has heirs, that leave no events of the type. No parameters.
-- Locks: none. Reads pg_trigger; relies on pg_trigger_tgrelid_tgname_index and pg_inherits_parent_index.
SELECT w.target::text AS target, w.event_type, w.missed
FROM zerodb.watches AS w
WHERE strpos(w.missed, 'writes through ') > 0 OR strpos(w.missed, 'writes to ') > 0
ORDER BY 1, 2
