-- One event of the log, and what a hook has to do with it: whether it is for events of this type, user and project, and
-- whether its condition is true. $1 text: the event's id; $2 uuid: hook. No row for what is not in the log.
-- Locks: none. Indexes: outbox_key, zerodb_hooks_pkey, hook_detail_pkey.
SELECT o.xid, o.ord, o.event_type, o.data, o.user_id, o.project_id, o.bank_id, o.traceparent, o.created_at, o.relid,
    h.event_type = ANY (zerodb._patterns(o.event_type))
        AND (h.user_id = zerodb._every_user() OR h.user_id IS NOT DISTINCT FROM o.user_id)
        AND (h.project_id IS NULL OR h.project_id IS NOT DISTINCT FROM o.project_id) AS is_of_hook,
    CASE WHEN d.conditional THEN zerodb._is_true(o.data, d.predicate) ELSE true END AS is_wanted
FROM zerodb._event_key($1::text) AS k
JOIN zerodb.outbox AS o ON o.xid = k.xid AND o.ord = k.ord
JOIN zerodb.zerodb_hooks AS h ON h.id = $2::uuid
LEFT JOIN zerodb.hook_detail AS d ON d.hook_id = h.id
