-- The schema of the bench, if there is one: whether a bench made it, and whether this role may drop it. No parameters.
-- Locks: none. Index: pg_namespace_nspname_index.
SELECT
    coalesce(obj_description(n.oid, 'pg_namespace') = 'Made by zerodb-hooks bench, which drops it', false) AS is_ours,
    pg_has_role(n.nspowner, 'USAGE') AS is_owned,
    pg_get_userbyid(n.nspowner)::text AS owner
FROM pg_namespace AS n WHERE n.nspname = 'zerodb_hooks_bench'
