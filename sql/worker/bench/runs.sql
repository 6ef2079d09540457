-- Whether a worker has its lease. $1 text: worker.
-- Locks: none. Reads all leases.
SELECT EXISTS (SELECT FROM zerodb.lease AS l WHERE l.worker = $1::text AND l.expires_at > clock_timestamp()) AS runs
