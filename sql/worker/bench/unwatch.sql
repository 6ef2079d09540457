-- Ends the watch of the bench. No parameters. Without one, no effect.
-- Locks: the table, while its trigger is dropped.
SELECT zerodb.unwatch(w.target, w.event_type) FROM zerodb.watches AS w
WHERE w.target = to_regclass('zerodb_hooks_bench.watched_item') AND w.event_type = 'zerodb_hooks_bench.item_stored'
