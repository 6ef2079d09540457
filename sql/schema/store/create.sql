-- API: public. Making a store, and watching its tables.

-- Updates count only where they change what a handler reads: a handler that writes its result back must not fire again.
-- A watch that is there stays as it is, also one that the user has changed.
CREATE FUNCTION zerodb._watch_store(schema name) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted record;
    target regclass;
BEGIN
    FOR wanted IN SELECT w.* FROM (VALUES
        ('vectors', 'zerodb.vector.stored', '{}', '{insert,update}', '{content,embedding}'),
        ('vectors', 'zerodb.vector.deleted', '{}', '{delete}', NULL),
        ('memories', 'zerodb.memory.stored', '{}', '{insert,update}', '{content}'),
        ('memories', 'zerodb.memory.deleted', '{}', '{delete}', NULL),
        ('memories', 'on_retain', '{}', '{insert}', NULL),
        ('memories', 'on_forget', '{"memory_ids": "id"}', '{delete}', NULL),
        ('files', 'zerodb.file.uploaded', '{}', '{insert,update}', '{content,content_bytes,storage_uri}'),
        ('table_rows', 'zerodb.table.row_inserted', '{}', '{insert}', NULL),
        ('table_rows', 'zerodb.table.row_updated', '{}', '{update}', '{table_name,row_data}'),
        ('table_rows', 'zerodb.table.row_deleted', '{}', '{delete}', NULL),
        ('event_stream', 'zerodb.event.published', '{}', '{insert}', NULL),
        ('zeromemory', 'zeromemory.remembered', '{}', '{insert,update}', '{content}'),
        ('zeromemory', 'zeromemory.forgotten', '{}', '{delete}', NULL),
        ('zeromemory', 'on_retain', '{}', '{insert}', NULL),
        ('zeromemory', 'on_forget', '{"memory_ids": "id"}', '{delete}', NULL),
        ('banks', 'on_bank_created', '{"bank_id": "id"}', '{insert}', NULL),
        ('banks', 'on_bank_deleted', '{"bank_id": "id"}', '{delete}', NULL),
        ('legal_holds', 'on_legal_hold', '{}', '{insert}', NULL)
    ) AS w (table_name, event_type, columns, operations, update_of)
    LOOP
        target := format('%I.%I', schema, wanted.table_name)::regclass;
        IF NOT EXISTS (SELECT FROM zerodb._watch_trigger AS t
            WHERE t.tgrelid = target AND t.mapping ->> 'event' = wanted.event_type)
        THEN
            PERFORM zerodb.watch(target, wanted.event_type, wanted.columns::jsonb, wanted.operations::text[],
                wanted.update_of::text[]);
        END IF;
    END LOOP;
END
$$;

CREATE FUNCTION zerodb.create_store(schema name DEFAULT 'zerodb_store', dimensions integer DEFAULT 1024) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM zerodb._check_store(schema, dimensions);
    PERFORM zerodb._check_store_place(schema);
    -- Two at once, from two instances of an application that starts, do not collide.
    PERFORM zerodb._lock_store(schema);
    PERFORM zerodb._check_store(schema, dimensions);
    -- Not CREATE … IF NOT EXISTS: that wants the right to create even where there is nothing to create.
    IF NOT EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = schema) THEN
        EXECUTE format('CREATE SCHEMA %I', schema);
    END IF;
    PERFORM zerodb._create_store_functions(schema);
    PERFORM zerodb._create_data_tables(schema, dimensions);
    PERFORM zerodb._create_memory_tables(schema, dimensions);
    PERFORM zerodb._create_graph_tables(schema, dimensions);
    -- Again, before anything runs: somebody with the right to create there may have been quicker.
    PERFORM zerodb._check_store_place(schema);
    PERFORM zerodb._watch_store(schema);
END
$$;
COMMENT ON FUNCTION zerodb.create_store(name, integer) IS
    'Makes the ready-made tables, watched, as yours; calling it again adds what is missing, widens the checks of an older version and changes nothing else; 42501 in a schema that is not yours, or in which something lies that is not';
