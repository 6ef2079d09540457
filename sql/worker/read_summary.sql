-- A row that is to be summarised, without its content, and what its summary was made from where its table has no column for
-- that. $1 uuid: hook; $2 oid: table; $3 jsonb: arguments of summary_read. Locks: none. Index: summary_pkey.
SELECT zerodb._as_owner($1::uuid, $2::oid, 'summary_read', $3::jsonb, NULL)
    || jsonb_build_object('kept_hash', (SELECT encode(s.hash, 'hex') FROM zerodb.summary AS s
        WHERE s.hook_id = $1::uuid AND s.relid = $2::oid AND s.key = $3::jsonb -> 'key'))
