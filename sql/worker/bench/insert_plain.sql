-- A row that nobody watches. No parameters.
-- Locks: the row.
INSERT INTO zerodb_hooks_bench.plain_item (name, size) VALUES ('an item of ordinary length', 4711) RETURNING id
