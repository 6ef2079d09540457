-- Forgets the health of hooks that are gone. No parameters. Locks: none that is waited for but another worker's. Index: zerodb_hooks_pkey.
DELETE FROM zerodb.hook_health AS x
WHERE x.hook_id IN (SELECT y.hook_id FROM zerodb.hook_health AS y
    WHERE NOT EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = y.hook_id) LIMIT 10000 FOR UPDATE SKIP LOCKED)
