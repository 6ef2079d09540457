-- Deletes, of the deliveries after an id, a batch at most, those that ended before the retention. $1 text: retention;
-- $2 bigint: after; $3 int: batch. Returns where to go on, and whether it is worth while now.
-- Locks: FOR UPDATE SKIP LOCKED. Index: the primary key, oldest first.
SELECT p.reached, p.more FROM zerodb._prune_deliveries($1::text::interval, $2::bigint, $3::integer) AS p
