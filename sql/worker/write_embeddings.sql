-- Writes vectors to a table that has no column for what they were made from, and keeps that here, for the rows that were
-- written. $1 uuid: hook; $2 oid: table; $3 jsonb: arguments of embed_write; $4 real[]: vectors; $5 jsonb[]: keys;
-- $6 text[]: hashes in hex; $7 text: model. Returns what embed_write returns. Index: embedding_pkey.
WITH written AS MATERIALIZED (
    SELECT zerodb._as_owner($1::uuid, $2::oid, 'embed_write', $3::jsonb, $4::real[]) AS places
), kept AS (
    INSERT INTO zerodb.embedding (hook_id, relid, key, hash, model)
    SELECT $1::uuid, $2::oid, e.key, decode(e.hash, 'hex'), $7::text
    FROM written AS w CROSS JOIN unnest($5::jsonb[], $6::text[]) WITH ORDINALITY AS e (key, hash, n)
    WHERE w.places @> to_jsonb(e.n - 1)
    ON CONFLICT (hook_id, relid, key) DO UPDATE SET hash = excluded.hash, model = excluded.model
)
SELECT w.places FROM written AS w
