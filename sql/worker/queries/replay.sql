-- Delivers the events of a time range to a hook again, or counts them. $1 uuid: hook; $2, $3 timestamptz: from and until;
-- $4 boolean: only counts.
-- Locks: those of replay. Relies on outbox_key.
SELECT zerodb.replay($1::uuid, $2::timestamptz, $3::timestamptz, $4::boolean) AS events
