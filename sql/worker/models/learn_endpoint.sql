-- Keeps what an endpoint has taught of a model. $1 text: endpoint; $2 text: model; $3 text: which; $4 bigint: value.
-- Writes nothing when it is known. Locks: the endpoint. Index: endpoint_pkey.
INSERT INTO zerodb.endpoint AS e (name, learned)
VALUES ($1::text, jsonb_build_object($2::text, jsonb_build_object($3::text, $4::bigint)))
ON CONFLICT (name) DO UPDATE
SET learned = e.learned || jsonb_build_object($2::text, coalesce(e.learned -> $2::text, '{}') || jsonb_build_object($3::text, $4::bigint)),
    updated_at = clock_timestamp()
WHERE e.learned -> $2::text -> $3::text IS DISTINCT FROM to_jsonb($4::bigint)
