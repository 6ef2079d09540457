-- The leases of benches. No parameters. With the lock of lock.sql and no worker running: those of killed ones.
-- Locks: none. Reads all leases.
SELECT l.id FROM zerodb.lease AS l WHERE starts_with(l.worker, 'zerodb_hooks_bench:')
