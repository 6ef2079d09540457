-- Watches that take a field, a tenant or update_of from a column that is gone: the fields stay empty. No parameters.
-- Locks: none. Reads pg_trigger; relies on pg_attribute_relid_attnam_index.
SELECT DISTINCT w.tgrelid::regclass::text AS target, w.mapping ->> 'event' AS event_type, used.column_name
FROM zerodb._watch_trigger AS w
CROSS JOIN LATERAL (
    SELECT f.entry ->> 1 AS column_name FROM jsonb_array_elements(w.mapping -> 'fields') AS f (entry)
    WHERE jsonb_typeof(f.entry -> 1) = 'string'
    UNION
    SELECT w.mapping ->> t.tenant FROM (VALUES ('user_id'), ('project_id'), ('bank_id')) AS t (tenant)
    WHERE jsonb_typeof(w.mapping -> t.tenant) = 'string'
    UNION
    SELECT u.column_name FROM jsonb_array_elements_text(coalesce(w.mapping -> 'update_of', '[]')) AS u (column_name)
) AS used
WHERE NOT EXISTS (SELECT FROM pg_attribute AS a
    WHERE a.attrelid = w.tgrelid AND a.attname = used.column_name AND a.attnum > 0 AND NOT a.attisdropped)
ORDER BY 1, 2, 3
