-- Parks: from here on every commit that records events notifies. Waits for commits under way, at most lock_timeout.
-- Locks: the lock `park` (see extension/src/lock.rs) of the session, which writers share for the time of their commit.
SELECT zerodb._lock_session('park')
