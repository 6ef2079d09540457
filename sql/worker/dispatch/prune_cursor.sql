-- Deletes cursor rows that no longer count. Index: the primary key.
SELECT zerodb._prune_cursor()
