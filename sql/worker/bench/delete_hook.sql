-- Deletes the hook of a bench, which cancels what waits for it. No parameters. Without one, no effect.
-- Locks: its row and the deliveries that wait for it. Index: idx_zerodb_hooks_event_type.
SELECT zerodb.delete_hook(h.id) FROM zerodb.zerodb_hooks AS h
WHERE h.event_type = 'zerodb_hooks_bench.item_stored' AND h.hook_name = 'zerodb_hooks_bench'
