-- Internal. The triggers of a watch: their names, and how they come to a table and what is below it. Makes no mapping
-- and decides nothing.

-- The name of a watch's trigger. On a partitioned table it has the table's number in it: Postgres gives its copies on
-- partitions the same name, and a table that is attached later may have triggers of its own. Triggers fire in the order
-- of their names: what happened to a row is recorded before what it means to a bank.
CREATE FUNCTION zerodb._watch_trigger_name(event_type text, operation text, target oid DEFAULT NULL) RETURNS name
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN octet_length(n.event) <= 48 - octet_length(n.place)
        THEN format('zerodb_%s_%s%s', operation, n.event, n.place)
        ELSE format('zerodb_%s_%s_%s%s', operation, left(n.event, 39 - octet_length(n.place)), left(md5(n.event), 8),
            n.place) END
    FROM (SELECT CASE WHEN starts_with(event_type, 'on_') THEN '~'
        ELSE '' END || event_type AS event, coalesce('_' || target, '') AS place) AS n
$$;

-- One trigger. Statement-level with transition tables on a table; row-level on a partitioned one, because only row
-- triggers are cloned to partitions, also to those attached later. The one for
-- `batch` on a partitioned table looks at whole statements. ALWAYS: writes under replica role count.
CREATE FUNCTION zerodb._create_watch_trigger(target regclass, operation text, mapping jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    partitioned boolean := (SELECT c.relkind = 'p' FROM pg_class AS c WHERE c.oid = target);
    trigger_name name := zerodb._watch_trigger_name(mapping ->> 'event', operation, CASE WHEN partitioned
        THEN target::oid END);
    scope text := CASE WHEN partitioned AND operation <> 'batch' THEN 'FOR EACH ROW'
        WHEN operation IN ('insert', 'batch') THEN 'REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT'
        WHEN operation = 'delete' THEN 'REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT'
        ELSE 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT' END;
BEGIN
    EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER %s ON %s %s EXECUTE FUNCTION zerodb._capture(%L)',
        trigger_name, CASE operation WHEN 'batch' THEN 'INSERT'
            ELSE upper(operation) END, target, scope, mapping::text);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', target, trigger_name);
    EXECUTE format('ALTER TRIGGER %I ON %s DEPENDS ON EXTENSION zerodb_hooks', trigger_name, target);
END
$$;

-- The tables below one in classic inheritance, at any depth. Statements on such a table fire its own triggers and none
-- of the parent's, and those on the parent fire only the parent's, so that each row is recorded once.
CREATE FUNCTION zerodb._heirs(target regclass) RETURNS SETOF regclass
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE heir AS (
        SELECT i.inhrelid FROM pg_inherits AS i WHERE i.inhparent = target
        UNION SELECT i.inhrelid FROM heir AS h JOIN pg_inherits AS i ON i.inhparent = h.inhrelid
    )
    SELECT h.inhrelid::regclass FROM heir AS h JOIN pg_class AS c ON c.oid = h.inhrelid
    WHERE c.relkind = 'r' AND NOT c.relispartition AND c.relpersistence <> 't'
$$;

-- True when a trigger of a watch fires for every write, and so do its copies on partitions.
CREATE FUNCTION zerodb._fires_always(trigger oid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE copy AS (
        SELECT t.oid, t.tgenabled FROM pg_trigger AS t WHERE t.oid = trigger
        UNION ALL SELECT t.oid, t.tgenabled FROM copy AS c JOIN pg_trigger AS t ON t.tgparentid = c.oid
    )
    SELECT bool_and(c.tgenabled = 'A') FROM copy AS c
$$;

-- Gives a table the triggers of a mapping, and takes others of its event type away. Such as are there already and
-- switched on are left alone: calling watch again takes no lock.
CREATE FUNCTION zerodb._set_watch_triggers(target regclass, mapping jsonb, triggered text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    current record;
    op text;
BEGIN
    FOR current IN SELECT w.tgname, w.operation FROM zerodb._watch_trigger AS w
        WHERE w.tgrelid = target AND w.mapping ->> 'event' = _set_watch_triggers.mapping ->> 'event'
            AND (w.operation <> ALL (triggered) OR w.mapping <> _set_watch_triggers.mapping)
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', current.tgname, target);
    END LOOP;
    FOREACH op IN ARRAY triggered LOOP
        SELECT w.tgname, zerodb._fires_always(w.trigger_id) AS fires INTO current FROM zerodb._watch_trigger AS w
        WHERE w.tgrelid = target AND w.operation = op AND w.mapping = _set_watch_triggers.mapping LIMIT 1;
        IF NOT FOUND THEN
            PERFORM zerodb._create_watch_trigger(target, op, mapping);
        ELSIF NOT current.fires THEN
            EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', target, current.tgname);
        END IF;
    END LOOP;
END
$$;

-- Notes the constant user of a mapping for a table, or forgets the one of before.
CREATE FUNCTION zerodb._note_watch_tenant(target regclass, mapping jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    constant_user uuid := zerodb._constant_user(mapping);
BEGIN
    IF constant_user IS NOT NULL OR EXISTS (SELECT FROM zerodb._watch_trigger AS w WHERE w.tgrelid = target
        AND w.mapping ->> 'event' = _note_watch_tenant.mapping ->> 'event'
            AND jsonb_typeof(w.mapping -> 'user_id') = 'object')
    THEN
        PERFORM zerodb.keep_watch_tenant(target, mapping ->> 'event', constant_user);
    END IF;
END
$$;

-- Removes the triggers of one event type from a table, or all of them; of an heir only those that it has from the
-- parent. Returns their mappings.
CREATE FUNCTION zerodb._drop_watch_triggers(target regclass, event_type text, of_parent jsonb[]) RETURNS jsonb[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    current record;
    dropped jsonb[] := '{}';
BEGIN
    FOR current IN SELECT w.tgname, w.mapping FROM zerodb._watch_trigger AS w
        WHERE w.tgrelid = target AND (_drop_watch_triggers.event_type IS NULL
            OR w.mapping ->> 'event' = _drop_watch_triggers.event_type)
            AND (of_parent IS NULL OR w.mapping = ANY (of_parent))
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', current.tgname, target);
        IF jsonb_typeof(current.mapping -> 'user_id') = 'object' THEN
            PERFORM zerodb.keep_watch_tenant(target, current.mapping ->> 'event', NULL);
        END IF;
        dropped := dropped || current.mapping;
    END LOOP;
    RETURN dropped;
END
$$;
