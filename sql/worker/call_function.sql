-- Runs the function of a `sql` hook as the hook's owner. $1 uuid: hook; $2 jsonb: envelope.
SELECT zerodb._call_hook_function($1::uuid, $2::jsonb)
