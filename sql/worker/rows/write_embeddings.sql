-- Writes vectors to a table that has no column for what they were made from, and keeps that here, for the rows that were
-- written. $1 uuid: hook; $2 oid: table; $3 jsonb: arguments of embed_write; $4 real[]: vectors; $5 jsonb[]: keys;
-- $6 text[]: hashes in hex; $7 text: model. Returns what embed_write returns. Index: embedding_pkey.
WITH written AS MATERIALIZED (
    SELECT zerodb._as_owner($1::pg_catalog.uuid, $2::pg_catalog.oid, 'embed_write'::pg_catalog.text, $3::pg_catalog.jsonb, $4::pg_catalog.float4[]) AS places
), kept AS (
    INSERT INTO zerodb.embedding (hook_id, relid, key, hash, model)
    SELECT $1::pg_catalog.uuid, $2::pg_catalog.oid, e.key, pg_catalog.decode(e.hash, 'hex'::pg_catalog.text), $7::pg_catalog.text
    FROM written AS w CROSS JOIN ROWS FROM (pg_catalog.unnest($5::pg_catalog.jsonb[]), pg_catalog.unnest($6::pg_catalog.text[])) WITH ORDINALITY AS e (key, hash, n)
    WHERE w.places OPERATOR(pg_catalog.@>) pg_catalog.to_jsonb(e.n OPERATOR(pg_catalog.-) 1::pg_catalog.int8)
    ON CONFLICT (hook_id, relid, key) DO UPDATE SET hash = excluded.hash, model = excluded.model
)
SELECT w.places FROM written AS w
