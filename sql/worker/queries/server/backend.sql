-- The backend that answers, and whether it listens to the doctor's channel. No parameters; sent as a simple query.
-- Locks: none. Reads no table.
SELECT
    pg_backend_pid() AS pid,
    EXISTS (SELECT FROM pg_listening_channels() AS c WHERE c = 'zerodb_hooks_doctor') AS listening
