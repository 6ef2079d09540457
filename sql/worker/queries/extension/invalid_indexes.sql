-- Indexes of the extension's tables that are not valid, as a rebuild leaves them that was given up, and whether writes still keep them. No
-- parameters. Locks: none. Reads pg_index.
SELECT i.indexrelid::regclass::text AS name, i.indisready AS is_kept
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indrelid
WHERE NOT i.indisvalid AND (c.relnamespace = 'zerodb'::regnamespace
    -- Of a table's values out of line.
    OR EXISTS (SELECT FROM pg_class AS t WHERE t.reltoastrelid = c.oid AND t.relnamespace = 'zerodb'::regnamespace))
ORDER BY 1
