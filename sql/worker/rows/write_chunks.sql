-- Writes the chunks of a row, and keeps what they were made from when they are all there. $1 uuid: hook; $2 oid: table; $3 jsonb:
-- arguments of chunk_write; $4 real[]: vectors; $5 text: hash in hex, or null while some are missing; $6 text: model. Returns whether
-- the row was still the one that was embedded. Locks: those of chunk_write. Index: embedding_pkey.
WITH written AS MATERIALIZED (
    SELECT zerodb._as_owner($1::pg_catalog.uuid, $2::pg_catalog.oid, 'chunk_write'::pg_catalog.text, $3::pg_catalog.jsonb, $4::pg_catalog.float4[]) AS done
), kept AS (
    INSERT INTO zerodb.embedding (hook_id, relid, key, hash, model)
    SELECT $1::pg_catalog.uuid, $2::pg_catalog.oid, $3::pg_catalog.jsonb OPERATOR(pg_catalog.->) 'key'::pg_catalog.text,
        pg_catalog.decode($5::pg_catalog.text, 'hex'::pg_catalog.text), $6::pg_catalog.text
    FROM written AS w WHERE w.done OPERATOR(pg_catalog.=) 'true'::pg_catalog.jsonb AND $5::pg_catalog.text IS NOT NULL
    ON CONFLICT (hook_id, relid, key) DO UPDATE SET hash = excluded.hash, model = excluded.model
)
SELECT w.done FROM written AS w
