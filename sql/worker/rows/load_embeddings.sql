-- What vectors were made from. $1 uuid: hook; $2 oid: table; $3 jsonb[]: keys. Locks: none. Index: embedding_pkey.
SELECT e.key, encode(e.hash, 'hex') AS hash, e.model
FROM unnest($3::jsonb[]) AS k (key)
JOIN zerodb.embedding AS e ON e.hook_id = $1::uuid AND e.relid = $2::oid AND e.key = k.key
