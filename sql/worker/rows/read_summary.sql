-- A row that is to be summarised, without its content, and what its summary was made from where its table has no column for
-- that. $1 uuid: hook; $2 oid: table; $3 jsonb: arguments of summary_read. Locks: none. Index: summary_pkey.
SELECT zerodb._as_owner($1::pg_catalog.uuid, $2::pg_catalog.oid, 'summary_read'::pg_catalog.text, $3::pg_catalog.jsonb, NULL)
    OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object('kept_hash', (SELECT pg_catalog.encode(s.hash, 'hex'::pg_catalog.text) FROM zerodb.summary AS s
        WHERE s.hook_id OPERATOR(pg_catalog.=) $1::pg_catalog.uuid AND s.relid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
            AND s.key OPERATOR(pg_catalog.=) ($3::pg_catalog.jsonb OPERATOR(pg_catalog.->) 'key'::pg_catalog.text)))
