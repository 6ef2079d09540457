-- A row that is to be embedded in chunks, without its content, and what its chunks were made from. $1 uuid: hook; $2 oid: table;
-- $3 jsonb: arguments of chunk_read. Locks: none. Index: embedding_pkey.
SELECT zerodb._as_owner($1::uuid, $2::oid, 'chunk_read', $3::jsonb, NULL)
    || jsonb_build_object('hash', (SELECT encode(e.hash, 'hex') FROM zerodb.embedding AS e
        WHERE e.hook_id = $1::uuid AND e.relid = $2::oid AND e.key = $3::jsonb -> 'key'))
