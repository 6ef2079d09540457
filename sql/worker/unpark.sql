-- Unparks: writers stop notifying. Locks: gives back the advisory lock ("zero", 1).
SELECT pg_advisory_unlock(2053468783, 1)
