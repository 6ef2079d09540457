-- API: public. Which tables are watched, and which of their writes leave no event.

-- The writes to a watched table that leave no event although the watch asks for them, in words; null where there are
-- none.
CREATE FUNCTION zerodb._missed_writes(target oid, event_type text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE copy AS (
        SELECT t.oid, t.tgenabled FROM zerodb._watch_trigger AS w JOIN pg_trigger AS t ON t.oid = w.trigger_id
        WHERE w.tgrelid = target AND w.mapping ->> 'event' = event_type
        UNION ALL SELECT t.oid, t.tgenabled FROM copy AS c JOIN pg_trigger AS t ON t.tgparentid = c.oid
    ), above AS (
        SELECT i.inhparent FROM pg_inherits AS i WHERE i.inhrelid = target
        UNION SELECT i.inhparent FROM above AS a JOIN pg_inherits AS i ON i.inhrelid = a.inhparent
    ), elsewhere AS (
        SELECT a.inhparent AS relid, 'writes through ' AS way FROM above AS a
        -- A partition is written through the topmost table.
        WHERE NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = a.inhparent AND c.relispartition)
        UNION ALL SELECT h::oid, 'writes to ' FROM zerodb._heirs(target) AS h
    )
    SELECT nullif(concat_ws(', ',
        CASE WHEN EXISTS (SELECT FROM copy AS c WHERE c.tgenabled = 'D') THEN 'writes while its triggers are disabled'
            WHEN EXISTS (SELECT FROM copy AS c WHERE c.tgenabled = 'R') THEN 'writes but those of replication'
            WHEN EXISTS (SELECT FROM copy AS c WHERE c.tgenabled = 'O') THEN 'writes of replication' END,
        (SELECT string_agg(e.way || e.relid::regclass, ', ' ORDER BY 1) FROM elsewhere AS e
            WHERE NOT EXISTS (SELECT FROM zerodb._watch_trigger AS w
                WHERE w.tgrelid = e.relid AND w.mapping ->> 'event' = event_type))), '')
$$;

CREATE VIEW zerodb.watches AS
SELECT
    w.tgrelid::regclass AS target,
    (w.mapping ->> 'event') AS event_type,
    (SELECT jsonb_object_agg(f ->> 0, f -> 1) FROM jsonb_array_elements(w.mapping -> 'fields') AS f) AS columns,
    ARRAY(SELECT jsonb_array_elements_text(w.mapping -> 'operations')) AS operations,
    CASE WHEN w.mapping ? 'update_of' THEN ARRAY(SELECT jsonb_array_elements_text(w.mapping -> 'update_of')) END AS update_of,
    zerodb._missed_writes(w.tgrelid, w.mapping ->> 'event') AS missed
FROM (SELECT DISTINCT w.tgrelid, w.mapping FROM zerodb._watch_trigger AS w) AS w;
COMMENT ON VIEW zerodb.watches IS
    'Watched tables, the events their writes record, where each data field comes from, and which writes are missed: null is none';
