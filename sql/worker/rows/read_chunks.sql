-- A row that is to be embedded in chunks, without its content, and what its chunks were made from. $1 uuid: hook; $2 oid: table;
-- $3 jsonb: arguments of chunk_read. Locks: none. Index: embedding_pkey.
SELECT zerodb._as_owner($1::pg_catalog.uuid, $2::pg_catalog.oid, 'chunk_read'::pg_catalog.text, $3::pg_catalog.jsonb, NULL)
    OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object('hash', (SELECT pg_catalog.encode(e.hash, 'hex'::pg_catalog.text) FROM zerodb.embedding AS e
        WHERE e.hook_id OPERATOR(pg_catalog.=) $1::pg_catalog.uuid AND e.relid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
            AND e.key OPERATOR(pg_catalog.=) ($3::pg_catalog.jsonb OPERATOR(pg_catalog.->) 'key'::pg_catalog.text)))
