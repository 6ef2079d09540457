-- The hook of the bench. $1 text: hook type, `function` for the bench's own handler, or `log`; $2 jsonb: config. Returns its id.
-- Locks: none beside its rows.
SELECT h.id FROM zerodb.create_hook('zerodb_hooks_bench.item_stored', 'zerodb_hooks_bench', $2::jsonb,
    hook_type => $1::text, user_id => zerodb._every_user()) AS h
