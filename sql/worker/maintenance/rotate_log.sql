-- Empties the partition that the clock reaches next, when all in it is old and done. $1 int: slot; $2 text: retention.
-- Locks: ACCESS EXCLUSIVE on that partition, for at most 100 ms of waiting.
SELECT zerodb._rotate_log($1::integer, $2::text::interval)
