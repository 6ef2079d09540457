-- Where the dispatcher stands: the seq of its last move. No parameters. Locks: none. Index: cursor_pkey backwards.
SELECT c.seq FROM zerodb.cursor AS c ORDER BY c.seq DESC LIMIT 1
