-- Waits for the turn to release ordered deliveries. In one transaction with release_ordered.sql, which is sent at once with it,
-- but a statement before it: only then that one sees what the last turn did.
-- Locks: the advisory lock ("zero", 5), until the transaction ends.
SELECT pg_advisory_xact_lock(2053468783, 5)
