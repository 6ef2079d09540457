-- Keeps a second bench out of this database for as long as the session lives. No parameters.
-- Locks: the advisory lock ("zero", 4) of the session; waits for at most lock_timeout.
SELECT pg_advisory_lock(2053468783, 4)
