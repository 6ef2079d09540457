-- The channel of every event type, and the fields that its events may have.
SELECT t.name::text AS name, t.channel, t.fields FROM zerodb.event_type AS t
