-- Waits for the turn to release ordered deliveries, at most 5 s (55P03). In one transaction with release_ordered.sql, which is
-- sent at once with it, but a statement before it: only then that one sees what the last turn did.
-- Locks: the lock `release` (see extension/src/lock.rs), until the transaction ends.
SELECT zerodb._lock('release')
