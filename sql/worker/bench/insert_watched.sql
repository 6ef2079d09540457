-- A row with its event. No parameters. The same as insert_plain.sql but for the table.
-- Locks: the row.
INSERT INTO zerodb_hooks_bench.watched_item (name, size) VALUES ('an item of ordinary length', 4711) RETURNING id
