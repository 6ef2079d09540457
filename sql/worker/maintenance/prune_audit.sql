-- Deletes, of the oldest rows of the audit trail, those that have been kept for as long as the setting says. $1 int: most of
-- them. Returns whether there may be more. Locks: the rows it deletes. Index: the primary key, oldest first.
SELECT zerodb._prune_audit($1::integer)
