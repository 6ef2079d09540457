-- CREATE EXTENSION takes a schema that is there already. Its owner could put operators and functions into it that this
-- script would then call as superuser, and could change what the script makes. Everything here is qualified for that.
-- The encoding: data, configs and names are handled as UTF-8.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_catalog.pg_namespace AS n JOIN pg_catalog.pg_roles AS r
            ON r.oid OPERATOR(pg_catalog.=) n.nspowner
        WHERE n.nspname OPERATOR(pg_catalog.=) 'zerodb' AND (
            NOT (r.rolsuper OR r.rolname OPERATOR(pg_catalog.=) CURRENT_USER)
            OR EXISTS (SELECT FROM pg_catalog.pg_proc AS p WHERE p.pronamespace OPERATOR(pg_catalog.=) n.oid)
            OR EXISTS (SELECT FROM pg_catalog.pg_operator AS o WHERE o.oprnamespace OPERATOR(pg_catalog.=) n.oid)
            OR EXISTS (SELECT FROM pg_catalog.pg_type AS t WHERE t.typnamespace OPERATOR(pg_catalog.=) n.oid)
            OR EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.relnamespace OPERATOR(pg_catalog.=) n.oid)))
    THEN
        RAISE EXCEPTION 'the schema zerodb exists already and is another''s or not empty'
            USING ERRCODE = '55000', DETAIL = 'What lies in it could act with the rights of a superuser.',
                  HINT = 'Look what it holds, then DROP SCHEMA zerodb CASCADE, and create the extension again.';
    END IF;
    IF pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.<>) ALL (ARRAY['UTF8'::pg_catalog.name,
        'SQL_ASCII'::pg_catalog.name])
    THEN
        RAISE EXCEPTION 'the encoding % of this database is not supported', pg_catalog.getdatabaseencoding()
            USING ERRCODE = '0A000', HINT = 'Create the database with ENCODING ''UTF8''.';
    END IF;
END
$$;
