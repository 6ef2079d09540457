-- Backfills with their progress, the last started first. Locks: none. Relies on backfill_pkey.
SELECT b.hook_name AS hook, b.target::text AS target, b.state, b.total, b.seen, b.done, b.failed, b.percent::float8 AS percent,
    extract(epoch FROM b.remaining)::float8 AS remaining_seconds, b.last_error
FROM zerodb.backfills AS b
ORDER BY b.started_at DESC, b.target
