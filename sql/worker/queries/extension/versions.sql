-- The version of the extension in this database (null: not created) and the one that could be created. No parameters.
-- Locks: none. Relies on the catalogs' own indexes.
SELECT
    (SELECT e.extversion FROM pg_extension AS e WHERE e.extname = 'zerodb_hooks') AS installed,
    (SELECT a.default_version FROM pg_available_extensions AS a WHERE a.name = 'zerodb_hooks') AS available
