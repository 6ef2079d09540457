-- The channel of every event type.
SELECT t.name::text AS name, t.channel FROM zerodb.event_type AS t
