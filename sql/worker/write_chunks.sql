-- Writes the chunks of a row, and keeps what they were made from when they are all there. $1 uuid: hook; $2 oid: table; $3 jsonb:
-- arguments of chunk_write; $4 real[]: vectors; $5 text: hash in hex, or null while some are missing; $6 text: model. Returns whether
-- the row was still the one that was embedded. Locks: those of chunk_write. Index: embedding_pkey.
WITH written AS MATERIALIZED (
    SELECT zerodb._as_owner($1::uuid, $2::oid, 'chunk_write', $3::jsonb, $4::real[]) AS done
), kept AS (
    INSERT INTO zerodb.embedding (hook_id, relid, key, hash, model)
    SELECT $1::uuid, $2::oid, $3::jsonb -> 'key', decode($5::text, 'hex'), $6::text
    FROM written AS w WHERE w.done = 'true' AND $5::text IS NOT NULL
    ON CONFLICT (hook_id, relid, key) DO UPDATE SET hash = excluded.hash, model = excluded.model
)
SELECT w.done FROM written AS w
