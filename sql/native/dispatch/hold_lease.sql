-- Keeps a lease from being reaped until the transaction ends; no row when it is gone. $1 bigint: lease. Locks: the
-- lease FOR KEY SHARE.
SELECT FROM zerodb.lease AS l WHERE l.id = $1 FOR KEY SHARE
