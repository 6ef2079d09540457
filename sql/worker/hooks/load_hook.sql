-- A hook as it is now, with its version, the role that made it (as text; null when there is none any more) and its signing
-- secrets, newest first. $1 uuid: hook. Indexes: zerodb_hooks_pkey, hook_detail_pkey, signing_secret_pkey.
SELECT h.id, h.xmin::text::bigint AS version, h.user_id, h.hook_type, h.hook_name, h.hook_config, d.owner::text AS owner,
    s.numbers, s.sealed, s.ends
FROM zerodb.zerodb_hooks AS h LEFT JOIN zerodb.hook_detail AS d ON d.hook_id = h.id
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(x.number ORDER BY x.number DESC), '{}') AS numbers,
        coalesce(array_agg(x.sealed ORDER BY x.number DESC), '{}') AS sealed,
        coalesce(array_agg(x.valid_until ORDER BY x.number DESC), '{}') AS ends
    FROM zerodb.signing_secret AS x WHERE x.hook_id = h.id) AS s
WHERE h.id = $1::uuid
