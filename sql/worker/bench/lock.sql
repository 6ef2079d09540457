-- Keeps a second bench out of this database for as long as the session lives. No parameters.
-- Locks: the lock `bench` (see extension/src/lock.rs) of the session; waits for at most lock_timeout.
SELECT zerodb._lock_session('bench')
