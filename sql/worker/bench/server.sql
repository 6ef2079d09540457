-- What the bench says of the server, and whether it can be written to. No parameters.
-- Locks: none. Reads no table.
SELECT
    current_setting('server_version') AS version,
    current_database()::text AS database,
    quote_literal(quote_ident(current_user)) AS role,
    pg_is_in_recovery() AS in_recovery,
    current_setting('transaction_read_only')::boolean AS read_only,
    current_setting('fsync')::boolean AS fsync
