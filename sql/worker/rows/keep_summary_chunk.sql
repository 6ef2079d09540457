-- Keeps the summary of a part of a text, unless the hook has gone. $1 uuid: hook; $2 bytea: hash; $3 text: summary. Locks: the
-- key of the hook, against its removal. Index: summary_chunk_pkey.
INSERT INTO zerodb.summary_chunk (hook_id, hash, summary)
SELECT h.id, $2::bytea, $3::text FROM zerodb.zerodb_hooks AS h WHERE h.id = $1::uuid
ON CONFLICT (hook_id, hash) DO NOTHING
