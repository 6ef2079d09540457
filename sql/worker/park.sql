-- Parks: from here on every commit that records events notifies. Waits for commits under way, at most lock_timeout.
-- Locks: the advisory lock ("zero", 1) of the session, which writers share for the time of their commit.
SELECT pg_advisory_lock(2053468783, 1)
