-- Writes a summary, and keeps what it was made from. $1 uuid: hook; $2 oid: table; $3 jsonb: arguments of summary_write; $4 boolean:
-- to keep it, because the table has no column for it. Returns what summary_write returns. Locks: the row. Index: summary_pkey.
WITH written AS MATERIALIZED (
    SELECT zerodb._as_owner($1::pg_catalog.uuid, $2::pg_catalog.oid, 'summary_write'::pg_catalog.text, $3::pg_catalog.jsonb, NULL) AS is_written
), kept AS (
    INSERT INTO zerodb.summary (hook_id, relid, key, hash)
    SELECT $1::pg_catalog.uuid, $2::pg_catalog.oid, $3::pg_catalog.jsonb OPERATOR(pg_catalog.->) 'key'::pg_catalog.text,
        pg_catalog.decode($3::pg_catalog.jsonb OPERATOR(pg_catalog.->>) 'hash'::pg_catalog.text, 'hex'::pg_catalog.text)
    FROM written AS w WHERE w.is_written OPERATOR(pg_catalog.=) 'true'::pg_catalog.jsonb AND $4::pg_catalog.bool
    ON CONFLICT (hook_id, relid, key) DO UPDATE SET hash = excluded.hash
)
SELECT w.is_written FROM written AS w
