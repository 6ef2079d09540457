-- Runs the function of a `sql` hook as the hook's owner, with the envelope of an event. $1 uuid: hook; $2 text: id of the event.
SELECT zerodb._call_hook_function($1::pg_catalog.uuid, $2::pg_catalog.text)
