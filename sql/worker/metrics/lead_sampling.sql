-- Tries to become the worker that reads the figures of the database; the lock lives as long as the connection.
-- Locks: the lock `sample` (see extension/src/lock.rs) of the session.
SELECT zerodb._try_lock_session('sample')
