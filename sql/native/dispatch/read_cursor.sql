-- The dispatcher's place: the window that is being read, from which key on, and what is visible now. No parameters.
-- Index: cursor_pkey backwards; the first row of order_signal. Locks: none.
SELECT c.seq, c.complete, c.xid, c.ord, c.done, c.upto, pg_current_snapshot(),
    c.moved_at < clock_timestamp() - interval '10 seconds', EXISTS (SELECT FROM zerodb.order_signal)
FROM zerodb.cursor AS c ORDER BY c.seq DESC LIMIT 1
