-- Rows with their events, for a backlog. $1 bigint: how many.
-- Locks: the rows.
INSERT INTO zerodb_hooks_bench.watched_item (name, size)
SELECT 'an item of ordinary length', 4711 FROM generate_series(1, $1::bigint)
