-- Takes the oldest backfill that nobody works on, or takes up again one of a dead worker. $1 bigint: lease.
-- Locks: the lease FOR KEY SHARE, the backfill FOR UPDATE SKIP LOCKED. Indexes: backfill_pkey.
WITH held AS MATERIALIZED (
    SELECT l.id FROM zerodb.lease AS l WHERE l.id = $1::bigint FOR KEY SHARE
), next AS MATERIALIZED (
    SELECT b.hook_id, b.relid, h.xmin::text::bigint AS version
    FROM held CROSS JOIN zerodb.backfill AS b
    JOIN zerodb.zerodb_hooks AS h ON h.id = b.hook_id AND h.is_active
    WHERE b.finished_at IS NULL AND b.not_before <= clock_timestamp()
        AND NOT EXISTS (SELECT FROM zerodb.lease AS l WHERE l.id = b.lease_id)
    ORDER BY b.started_at LIMIT 1 FOR UPDATE OF b SKIP LOCKED
)
UPDATE zerodb.backfill AS b SET lease_id = $1::bigint
FROM next AS n WHERE b.hook_id = n.hook_id AND b.relid = n.relid
RETURNING b.hook_id, b.relid, b.event_type, b.missing_only, b.replaces_given, b.after_key, b.total, n.version
