-- Watches one of the two tables. No parameters.
-- Locks: the table, while its trigger is made.
SELECT zerodb.watch('zerodb_hooks_bench.watched_item', 'zerodb_hooks_bench.item_stored')
