-- The tables of active auto_embed hooks whose rows are to be counted again: never counted, or longer ago than five seconds and than a
-- hundred times what the counting took. Locks: none. Reads pg_trigger, and of the hooks those alone, by zerodb_hooks_embedding.
SELECT DISTINCT ON (h.id, w.tgrelid) h.id AS hook_id, h.xmin::text::bigint AS version, w.tgrelid::oid AS relid, w.mapping ->> 'event' AS event_type
FROM zerodb.zerodb_hooks AS h
JOIN zerodb._watch_trigger AS w ON zerodb._may_name(w.arguments, h.event_type)
    AND h.event_type = ANY (zerodb._patterns(w.mapping ->> 'event')) AND w.operation IN ('insert', 'update')
LEFT JOIN zerodb.coverage AS c ON c.hook_id = h.id AND c.relid = w.tgrelid
WHERE h.is_active AND h.hook_type = 'first_party' AND h.hook_name = 'auto_embed' AND zerodb._has_vectors(w.tgrelid, h.hook_config)
    AND (c.hook_id IS NULL OR c.counted_at < clock_timestamp() - greatest(interval '5 seconds', c.took * 100))
ORDER BY h.id, w.tgrelid, w.mapping ->> 'event'
