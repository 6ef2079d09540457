-- The server's clock. No parameters.
-- Locks: none. Reads no table.
SELECT clock_timestamp() AS now
