-- Writes a summary, and keeps what it was made from where the table has no column for that. $1 uuid: hook; $2 oid: table;
-- $3 jsonb: arguments of summary_write. Returns what summary_write returns. Locks: the row. Index: summary_pkey.
WITH written AS MATERIALIZED (
    SELECT zerodb._as_owner($1::uuid, $2::oid, 'summary_write', $3::jsonb, NULL) AS is_written
), kept AS (
    INSERT INTO zerodb.summary (hook_id, relid, key, hash)
    SELECT $1::uuid, $2::oid, $3::jsonb -> 'key', decode($3::jsonb ->> 'hash', 'hex')
    FROM written AS w WHERE w.is_written = 'true' AND $3::jsonb -> 'plan' ->> 'hash_column' IS NULL
    ON CONFLICT (hook_id, relid, key) DO UPDATE SET hash = excluded.hash
)
SELECT w.is_written FROM written AS w
