-- Drops the tables of the bench; not what somebody has made to depend on them. No parameters.
-- Locks: both, ACCESS EXCLUSIVE; waits for at most lock_timeout.
DROP TABLE IF EXISTS zerodb_hooks_bench.plain_item, zerodb_hooks_bench.watched_item
