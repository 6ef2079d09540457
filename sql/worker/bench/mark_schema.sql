-- Says whose the schema is, for schema.sql after a kill. No parameters.
-- Locks: the schema.
COMMENT ON SCHEMA zerodb_hooks_bench IS 'Made by zerodb-hooks bench, which drops it'
