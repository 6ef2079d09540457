-- Deletes up to 10,000 summaries of parts of texts that are older than 30 days. Locks: these rows. Index:
-- summary_chunk_created_at.
DELETE FROM zerodb.summary_chunk AS c
USING (SELECT o.hook_id, o.hash FROM zerodb.summary_chunk AS o WHERE o.created_at < clock_timestamp() - interval '30 days'
    ORDER BY o.created_at LIMIT 10000 FOR UPDATE SKIP LOCKED) AS old
WHERE c.hook_id = old.hook_id AND c.hash = old.hash
