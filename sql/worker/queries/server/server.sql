-- Version, role, place and clock of the server. No parameters.
-- Locks: none. Reads no table.
SELECT
    current_setting('server_version_num')::integer AS version_number,
    current_setting('server_version') AS version,
    current_database()::text AS database,
    current_user::text AS role,
    pg_is_in_recovery() AS in_recovery,
    clock_timestamp() AS clock
