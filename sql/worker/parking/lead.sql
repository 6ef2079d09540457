-- Tries to become the worker that parks; the lock lives as long as the listening connection.
-- Locks: the lock `lead` (see extension/src/lock.rs) of the session.
SELECT zerodb._try_lock_session('lead')
