-- Wakes the other workers: there is more than this one can take. Not under any lock of a writer.
SELECT pg_catalog.pg_notify('zerodb_hooks', '')
