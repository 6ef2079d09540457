-- API: public. Watches: the triggers that record events. A watch lives in its triggers (their one argument is the mapping, as
-- JSON), so pg_dump carries it with the table. This file and triggers.sql hold the only DDL on a user's table.

-- Refuses what cannot be watched: views, foreign and temporary tables, the extension's own.
CREATE FUNCTION zerodb._check_watchable(target regclass, operations text[], update_of text[]) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    relation pg_class;
    wrong text;
BEGIN
    SELECT c.* INTO relation FROM pg_class AS c WHERE c.oid = target;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the table to watch is NULL or does not exist'
            USING ERRCODE = '42P01', HINT = 'Give its name, with the schema: ''public.documents''.';
    END IF;
    IF relation.relkind NOT IN ('r', 'p') OR relation.relpersistence = 't' THEN
        RAISE EXCEPTION '% cannot be watched', target
            USING ERRCODE = '42809', DETAIL = 'Only permanent tables and partitioned tables can.',
                  HINT = 'Watch the table that the writes go to.';
    END IF;
    IF relation.relispartition THEN
        RAISE EXCEPTION '% is part of another table', target
            USING ERRCODE = '42809', DETAIL = 'Writes through the parent would not be seen here.',
                  HINT = 'Watch ' || (SELECT string_agg(i.inhparent::regclass::text, ', ') FROM pg_inherits AS i
                      WHERE i.inhrelid = target) || ' instead: that covers its parts.';
    END IF;
    IF relation.relnamespace = 'zerodb'::regnamespace THEN
        RAISE EXCEPTION 'a table of zerodb_hooks itself cannot be watched'
            USING ERRCODE = '42809', HINT = 'Watch a table of your own.';
    END IF;
    SELECT o INTO wrong FROM unnest(operations) AS o
    WHERE o IS NULL OR o NOT IN ('insert', 'update', 'delete') LIMIT 1;
    IF FOUND OR coalesce(cardinality(operations), 0) = 0 THEN
        RAISE EXCEPTION 'invalid operations %', coalesce(operations::text, 'NULL')
            USING ERRCODE = '22023', HINT = 'Give one or more of insert, update, delete.';
    END IF;
    IF cardinality(update_of) = 0 THEN
        RAISE EXCEPTION 'update_of is empty'
            USING ERRCODE = '22023', HINT = 'Name columns, or leave it out to count every update that changes the row.';
    END IF;
    IF update_of IS NOT NULL AND 'update' <> ALL (operations) THEN
        RAISE EXCEPTION 'update_of is given, but operations have no update'
            USING ERRCODE = '22023', HINT = 'Add ''update'' to operations.';
    END IF;
    SELECT c INTO wrong FROM unnest(update_of) AS c WHERE c IS NULL OR NOT zerodb._has_column(target, c) LIMIT 1;
    IF FOUND THEN
        PERFORM zerodb._no_column(target, coalesce(wrong, 'NULL'));
    END IF;
END
$$;

CREATE FUNCTION zerodb.watch(
    target regclass,
    event_type text,
    columns jsonb DEFAULT '{}',
    operations text[] DEFAULT '{insert}',
    update_of text[] DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '10s'
AS $$
DECLARE
    wanted jsonb;
    partitioned boolean;
    triggered text[];
    heir regclass;
BEGIN
    PERFORM zerodb._check_watchable(target, operations, update_of);
    wanted := zerodb._watch_mapping(target, event_type, columns, operations, update_of)
        || jsonb_build_object('operations', to_jsonb(operations));
    IF octet_length(wanted::text) > zerodb._longest_mapping() THEN
        RAISE EXCEPTION 'the mapping of the watch has % bytes', octet_length(wanted::text)
            USING ERRCODE = '54000', DETAIL = format('It may have %s.', zerodb._longest_mapping()),
                  HINT = 'Register the event type with fewer fields, or give shorter constants.';
    END IF;
    PERFORM zerodb._note_watch_tenant(target, wanted);
    partitioned := (SELECT c.relkind = 'p' FROM pg_class AS c WHERE c.oid = target);
    -- A row that moves between partitions fires DELETE and INSERT triggers: all three must look.
    triggered := CASE WHEN partitioned THEN '{insert,update,delete}' ELSE operations END;
    -- Row triggers cannot tell that a statement stored several rows. A foreign partition forbids the look at all of
    -- them.
    IF partitioned AND wanted ? 'batch' AND 'insert' = ANY (operations) AND NOT EXISTS (
        SELECT FROM pg_partition_tree(target) AS p JOIN pg_class AS c ON c.oid = p.relid WHERE c.relkind = 'f')
    THEN
        triggered := triggered || '{batch}';
    END IF;
    PERFORM zerodb._set_watch_triggers(target, wanted, triggered);
    PERFORM zerodb.note_watches(target);
    -- Those of others stay as they are; zerodb.watches tells.
    FOR heir IN SELECT c.oid FROM zerodb._heirs(target) AS h JOIN pg_class AS c ON c.oid = h
        WHERE pg_has_role(c.relowner, 'USAGE') LOOP
        PERFORM zerodb._note_watch_tenant(heir, wanted);
        PERFORM zerodb._set_watch_triggers(heir, wanted, triggered);
        PERFORM zerodb.note_watches(heir);
    END LOOP;
END
$$;
COMMENT ON FUNCTION zerodb.watch(regclass, text, jsonb, text[], text[]) IS
    'Records an event for every write to a table; calling it again with the same arguments changes nothing';

CREATE FUNCTION zerodb.unwatch(target regclass, event_type text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '10s'
AS $$
DECLARE
    dropped jsonb[] := zerodb._drop_watch_triggers(target, event_type, NULL);
BEGIN
    IF cardinality(dropped) = 0 THEN
        RAISE EXCEPTION '% is not watched%', target, coalesce(' for ' || quote_literal(event_type), '')
            USING ERRCODE = 'P0002', HINT = 'See zerodb.watches.';
    END IF;
    PERFORM zerodb._drop_watch_triggers(c.oid, event_type, dropped), zerodb.note_watches(c.oid)
    FROM zerodb._heirs(target) AS h JOIN pg_class AS c ON c.oid = h WHERE pg_has_role(c.relowner, 'USAGE');
    PERFORM zerodb.note_watches(target);
END
$$;
COMMENT ON FUNCTION zerodb.unwatch(regclass, text) IS
    'Removes the triggers of one event type, or of all; P0002 when there are none';
