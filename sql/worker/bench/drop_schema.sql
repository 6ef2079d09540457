-- Drops the schema of the bench; not what somebody has put into it. No parameters.
-- Locks: the schema.
DROP SCHEMA IF EXISTS zerodb_hooks_bench
