-- The newest signing secret of each hook of this id or name. $1 text: id or name. Locks: none. Reads all hooks.
SELECT h.id AS hook_id, s.number, s.sealed, s.shown_at IS NOT NULL AS is_shown
FROM zerodb.zerodb_hooks AS h LEFT JOIN LATERAL (
    SELECT x.number, x.sealed, x.shown_at FROM zerodb.signing_secret AS x WHERE x.hook_id = h.id
    ORDER BY x.number DESC LIMIT 1) AS s ON true
WHERE h.id::text = $1::text OR h.hook_name = $1::text
