-- Moves the dispatcher's place. $1 bigint: seq; $2, $3 pg_snapshot: done and upto; $4 xid8, $5 int: the last key of
-- the window that is dispatched; $6 bigint: the seq at which a window was last dispatched to its end. The primary key
-- refuses a second move from one place.
INSERT INTO zerodb.cursor (seq, done, upto, xid, ord, complete) VALUES ($1, $2, $3, $4, $5, $6)
