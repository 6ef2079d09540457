-- auto_embed in chunks: what is written, and in which order.

-- Makes the chunks of a row those that are given, where its source is still the one that they were made of: args {key,
-- source, model, dimensions, partial, chunks: [{n, content, heading, hash, vector}]}, where vector is a place among the
-- vectors, or null for a chunk that is there. With `partial` they are added behind those that are there, for a later
-- call that has them all. The first statement locks the row against its writers for the time of the writing, so that of
-- two that write chunks of it the one with the old text finds none and gives up; the last says whether all chunks are
-- there.
CREATE FUNCTION zerodb._chunk_write(plan jsonb, relid oid, args jsonb) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN (args ->> 'partial')::boolean THEN jsonb_build_array(s.lock, s.add)
        ELSE jsonb_build_array(s.lock) || zerodb._place_chunks(plan) || jsonb_build_array(s.add, s.count) END
    FROM (SELECT format($q$
        SELECT to_jsonb(true)
        FROM (SELECT $1 -> 'key' AS key) AS k
        JOIN %s AS t ON %s AND %s AND %s = $1 ->> 'source'
        FOR NO KEY UPDATE OF t
        $q$,
            relid::regclass, zerodb._key_condition(relid, plan -> 'key'), zerodb._tenant_condition(plan),
                zerodb._summary_source(plan)) AS lock,
        zerodb._add_chunks(plan, relid) AS add,
        format($q$
            SELECT to_jsonb(count(*) = jsonb_array_length($1 -> 'chunks'))
            FROM %s AS c, (SELECT $1 -> 'key' AS key) AS k
            WHERE %s
            $q$,
            (plan ->> 'chunks')::oid::regclass, zerodb._chunk_condition(plan)) AS count) AS s
$$;

-- Statements that remove the chunks that are not wanted, and give the others their numbers: of two that are equal, the
-- first is the first. Only those whose number changes are written, by way of negative ones, which no chunk has.
CREATE FUNCTION zerodb._place_chunks(plan jsonb) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_array(
        format($q$
            DELETE FROM %1$s AS c
            USING (SELECT $1 -> 'key' AS key) AS k, %2$s
            WHERE %3$s AND c.chunk = p.chunk AND p.n IS NULL
            $q$,
            b.chunks, b.paired, b.of_row),
        format($q$
            UPDATE %1$s AS c
            SET chunk = -1 - p.n
            FROM (SELECT $1 -> 'key' AS key) AS k, %2$s
            WHERE %3$s AND c.chunk = p.chunk AND p.n <> p.chunk
            $q$,
            b.chunks, b.paired, b.of_row),
        format($q$
            UPDATE %1$s AS c SET chunk = -1 - c.chunk FROM (SELECT $1 -> 'key' AS key) AS k WHERE %2$s AND c.chunk < 0
            $q$,
            b.chunks, b.of_row))
    FROM (SELECT a.chunks, a.of_row, format($q$
            (SELECT p.chunk, w.n
                FROM (SELECT c.chunk, encode(c.%1$I, 'hex') AS hash,
                        row_number() OVER (PARTITION BY c.%1$I ORDER BY c.chunk) AS nth
                    FROM %2$s AS c, (SELECT $1 -> 'key' AS key) AS k WHERE %3$s) AS p
                LEFT JOIN (SELECT e ->> 'hash' AS hash, (e ->> 'n')::integer AS n,
                        row_number() OVER (PARTITION BY e ->> 'hash' ORDER BY (e ->> 'n')::integer) AS nth
                    FROM jsonb_array_elements($1 -> 'chunks') AS e) AS w ON w.hash = p.hash AND w.nth = p.nth) AS p
            $q$, plan ->> 'target' || '_hash', a.chunks, a.of_row) AS paired
        FROM (SELECT (plan ->> 'chunks')::oid::regclass AS chunks, zerodb._chunk_condition(plan) AS of_row) AS a) AS b
$$;

-- A statement that adds the chunks that have a vector.
CREATE FUNCTION zerodb._add_chunks(plan jsonb, relid oid) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format($q$
        INSERT INTO %1$s (%2$s, chunk, content, %3$I, %4$I%5$s%6$s)
        SELECT %7$s, (e ->> 'n')::integer + b.behind, e ->> 'content',
            ($2)[(e ->> 'vector')::integer * b.size + 1 : ((e ->> 'vector')::integer + 1) * b.size]::%8$s,
            decode(e ->> 'hash', 'hex')%9$s%10$s
        FROM (SELECT $1 -> 'key' AS key) AS k
        JOIN %11$s AS t ON %12$s
        CROSS JOIN LATERAL (SELECT ($1 ->> 'dimensions')::integer AS size,
            CASE WHEN ($1 ->> 'partial')::boolean THEN (SELECT coalesce(max(c.chunk) + 1, 0)
                FROM %1$s AS c
                WHERE %13$s) ELSE 0 END AS behind) AS b
        CROSS JOIN jsonb_array_elements($1 -> 'chunks') AS e
        WHERE e ->> 'vector' IS NOT NULL
        $q$,
        (plan ->> 'chunks')::oid::regclass, o.names, plan ->> 'target', plan ->> 'target' || '_hash',
        CASE WHEN plan ->> 'model_column' IS NULL THEN '' ELSE format(', %I', plan ->> 'model_column') END,
        CASE WHEN plan ->> 'heading_column' IS NULL THEN '' ELSE format(', %I', plan ->> 'heading_column') END,
        s.names, zerodb._vector_type((plan ->> 'chunks')::oid, plan ->> 'target'),
        CASE WHEN plan ->> 'model_column' IS NULL THEN '' ELSE ', $1 ->> ''model''' END,
        CASE WHEN plan ->> 'heading_column' IS NULL THEN '' ELSE ', e ->> ''heading''' END,
        relid::regclass, zerodb._key_condition(relid, plan -> 'key'), zerodb._chunk_condition(plan))
    FROM (SELECT string_agg(format('%I', c), ', ' ORDER BY n) AS names
            FROM jsonb_array_elements_text((plan -> 'chunk_key') || (plan -> 'copied'))
                WITH ORDINALITY AS u (c, n)) AS o,
        (SELECT string_agg(format('t.%I', c), ', ' ORDER BY n) AS names
            FROM jsonb_array_elements_text((plan -> 'key') || (plan -> 'copied')) WITH ORDINALITY AS u (c, n)) AS s
$$;
