-- Notes that attempts of a hook failed in a row. $1 uuid: hook; $2 bigint: its version; $3 bigint: the last one's delivery; $4 int:
-- how many; $5 text: the last error; $6 bigint: seconds after which a hook that goes on failing is switched off, null for never.
-- Returns what it became: failing, disabled, or null. Locks: the row of hook_health, for which it waits only while another worker
-- writes it; the hook FOR UPDATE SKIP LOCKED. Indexes: zerodb_hooks_pkey, hook_health_pkey, completion_hook.
SELECT zerodb._note_failing($1::uuid, $2::bigint, $3::bigint, $4::integer, $5::text, $6::bigint * interval '1 second')
