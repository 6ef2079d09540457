-- A page of events, newest first, with the place below which no event can appear any more: the begin of the ids of the oldest
-- transaction that is open. $1 text: event type or pattern, or null; $2 text: the cursor to go on from, or null;
-- $3 timestamptz: not older, or null. Without a row the horizon is asked for by itself.
-- Locks: none. Relies on outbox_key.
SELECT e.id, e.event, e.channel, e.user_id, e."timestamp" AS created_at, e.cursor, h.horizon
FROM (SELECT left(zerodb._event_id(pg_snapshot_xmin(pg_current_snapshot()), 0), 28) AS horizon) AS h
LEFT JOIN zerodb.list_events(event_type => $1::text, before => $2::text, max_rows => 1000, since => $3::timestamptz,
    with_data => false) AS e ON true
