-- Version, role, place and clock of the server. No parameters.
-- Locks: none. Reads no table.
SELECT
    pg_catalog.current_setting('server_version_num')::integer AS version_number,
    pg_catalog.current_setting('server_version') AS version,
    pg_catalog.current_database()::text AS database,
    current_user::text AS role,
    pg_catalog.pg_is_in_recovery() AS in_recovery,
    pg_catalog.clock_timestamp() AS clock
