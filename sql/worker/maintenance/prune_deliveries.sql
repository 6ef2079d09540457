-- Deletes a batch of deliveries that ended before the retention. $1 text: retention; $2 int: batch. Returns how many.
-- Locks: FOR UPDATE SKIP LOCKED. Index: the primary key, oldest first.
SELECT zerodb._prune_deliveries($1::text::interval, $2::integer)
