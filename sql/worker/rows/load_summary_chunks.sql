-- Summaries of parts of texts that are known already. $1 uuid: hook; $2 bytea[]: hashes. Locks: none. Index: summary_chunk_pkey.
SELECT c.hash, c.summary
FROM unnest($2::bytea[]) AS w (hash)
JOIN zerodb.summary_chunk AS c ON c.hook_id = $1::uuid AND c.hash = w.hash
