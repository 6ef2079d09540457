-- Tries to become the worker that parks; the lock lives as long as the listening connection.
-- Locks: the advisory lock ("zero", 3) of the session.
SELECT pg_try_advisory_lock(2053468783, 3)
