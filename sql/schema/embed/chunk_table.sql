-- API: public. Making a table of chunks.

-- API: public. Of a table that it made before, it lets the chunks follow a change of their row's key, which would fail the writer.
CREATE FUNCTION zerodb.create_chunk_table(source regclass, chunk_table name DEFAULT NULL,
    dimensions integer DEFAULT 1024) RETURNS regclass
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    space name := (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid = source);
    name name := coalesce(chunk_table, (SELECT c.relname || '_chunks' FROM pg_class AS c WHERE c.oid = source));
    key text[] := zerodb._primary_key(source);
    defined text;
    ours text;
    theirs text;
    reference text;
    known record;
BEGIN
    IF cardinality(key) = 0 THEN
        PERFORM zerodb._bad_embed(format('table %s has no primary key', source), 'Add one: rows are named by it.');
    END IF;
    IF dimensions IS NULL OR dimensions NOT BETWEEN 1 AND 16000 THEN
        PERFORM zerodb._bad_embed(format('invalid dimensions %s', coalesce(dimensions::text, 'NULL')),
            'Give the dimensions of your embedding model, 1 to 16000.');
    END IF;
    SELECT string_agg(format('%I %s NOT NULL', 'source_' || a.attname, format_type(a.atttypid, a.atttypmod)), ', '
        ORDER BY n),
        string_agg(format('%I', 'source_' || a.attname), ', ' ORDER BY n),
            string_agg(format('%I', a.attname), ', ' ORDER BY n)
    INTO defined, ours, theirs
    FROM unnest(key) WITH ORDINALITY AS u (column_name, n)
        JOIN pg_attribute AS a ON a.attrelid = source AND a.attname = u.column_name;
    reference := format('FOREIGN KEY (%s) REFERENCES %s(%s) ON UPDATE CASCADE ON DELETE CASCADE', ours, source, theirs);
    SELECT c.conname, pg_get_constraintdef(c.oid) = reference AS follows INTO known
    FROM zerodb._chunk_tables(source, 'embedding') AS t
        JOIN pg_constraint AS c ON c.conrelid = t.chunks AND c.confrelid = source AND c.contype = 'f'
    WHERE t.chunks = to_regclass(format('%I.%I', space, name))
        AND coalesce(zerodb._vector_dimensions(t.chunks, 'embedding'), dimensions) = dimensions
        AND pg_get_constraintdef(c.oid) IN (reference, replace(reference, ' ON UPDATE CASCADE', ''));
    IF NOT FOUND THEN
        EXECUTE format('CREATE TABLE %I.%I (%s, chunk integer NOT NULL, content text NOT NULL, heading text, %s, embedding_model text, '
            'embedding_hash bytea, PRIMARY KEY (%s, chunk), %s)',
            space, name, defined, zerodb._embedding_column(space, 'embedding', dimensions), ours, reference);
    ELSIF NOT known.follows THEN
        EXECUTE format('ALTER TABLE %1$I.%2$I DROP CONSTRAINT %3$I, ADD CONSTRAINT %3$I %4$s', space, name,
            known.conname, reference);
    END IF;
    RETURN format('%I.%I', space, name)::regclass;
END
$$;
COMMENT ON FUNCTION zerodb.create_chunk_table(regclass, name, integer) IS
    'Makes the table <source>_chunks, in which auto_embed keeps the parts of long texts with their vectors; chunks go with their row, and follow a change of its key. Called again, it makes an older table follow it too. 22023 for a table without a primary key';
