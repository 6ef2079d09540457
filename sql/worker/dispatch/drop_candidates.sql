-- Drops candidates that judge_candidates.sql has decided, in its transaction. $1 bigint[]: ids. Locks: none but theirs, which it holds.
DELETE FROM zerodb.candidate AS c WHERE c.id = ANY ($1::bigint[])
