-- Whose code runs when somebody uses a store. Its tables belong to a role of the application's, and triggers, defaults
-- and policies run with the rights of whoever writes or reads: so a store that is there is not used because it is
-- there.

-- Whether what a role owns may run with the caller's rights: code of the caller's own, of a role that it may act for or
-- that may act for it, of a superuser, or of the owner of the database or of the extension. A superuser may act for
-- everybody, which is no reason to run everybody's code: it trusts only superusers.
CREATE FUNCTION zerodb._trusts(owner oid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT o.oid = me.oid OR o.rolsuper OR pg_has_role(o.oid, me.oid, 'USAGE')
        OR (NOT me.rolsuper AND (o.oid IN (d.datdba, x.extowner) OR pg_has_role(me.oid, o.oid, 'USAGE')))
    FROM pg_database AS d
    JOIN pg_extension AS x ON x.extname = 'zerodb_hooks'
    JOIN pg_roles AS o ON o.oid = CASE _trusts.owner WHEN 'pg_database_owner'::regrole THEN d.datdba
        ELSE _trusts.owner END
    CROSS JOIN pg_roles AS me
    WHERE d.datname = current_database() AND me.rolname = current_user
$$;

-- The roles whose code runs when a table is read or written: its owner, and who owns a function that its triggers,
-- defaults, constraints, policies, rules or indexes call.
CREATE FUNCTION zerodb._table_coders(relids oid[]) RETURNS SETOF oid
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.relowner FROM pg_class AS c WHERE c.oid = ANY (relids)
    UNION
    SELECT p.proowner FROM (
        SELECT 'pg_trigger'::regclass AS class, t.oid FROM pg_trigger AS t WHERE t.tgrelid = ANY (relids)
        UNION ALL SELECT 'pg_attrdef'::regclass, a.oid FROM pg_attrdef AS a WHERE a.adrelid = ANY (relids)
        UNION ALL SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint AS k WHERE k.conrelid = ANY (relids)
        UNION ALL SELECT 'pg_policy'::regclass, y.oid FROM pg_policy AS y WHERE y.polrelid = ANY (relids)
        UNION ALL SELECT 'pg_rewrite'::regclass, w.oid FROM pg_rewrite AS w WHERE w.ev_class = ANY (relids)
        UNION ALL SELECT 'pg_class'::regclass, i.indexrelid FROM pg_index AS i WHERE i.indrelid = ANY (relids)) AS part
    JOIN pg_depend AS d ON d.classid = part.class AND d.objid = part.oid AND d.refclassid = 'pg_proc'::regclass
    JOIN pg_proc AS p ON p.oid = d.refobjid
$$;

-- 42501 where a table's code is not the caller's to run: it would have the caller's rights.
CREATE FUNCTION zerodb._check_coders(relids oid[]) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    coder oid := (SELECT c.owner FROM zerodb._table_coders(relids) AS c (owner) WHERE NOT zerodb._trusts(c.owner)
        LIMIT 1);
BEGIN
    IF coder IS NOT NULL THEN
        RAISE EXCEPTION 'the store is that of another role: %', coder::regrole
            USING ERRCODE = '42501', DETAIL = 'Triggers, defaults and policies of its tables would run with your rights.',
                  HINT = 'Name a store of your own as the schema, or SET ROLE to that role first.';
    END IF;
END
$$;

-- 42501 for a schema that is not the caller's, or in which something lies that is not: what is there is used as it is,
-- and its code would run with the rights of whoever makes the store or writes to it.
CREATE FUNCTION zerodb._check_store_place(schema name) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    space oid;
    owner oid;
    alien text;
BEGIN
    SELECT n.oid, n.nspowner INTO space, owner FROM pg_namespace AS n WHERE n.nspname = schema;
    IF space IS NULL THEN
        RETURN;
    END IF;
    IF NOT (pg_has_role(owner, 'USAGE') AND zerodb._trusts(owner)) THEN
        RAISE EXCEPTION 'schema % is not yours', quote_ident(schema)
            USING ERRCODE = '42501', DETAIL = format('It belongs to role %s, whose code in it would run with your rights.', owner::regrole),
                  HINT = 'Choose another schema, or SET ROLE to its owner first.';
    END IF;
    SELECT o.kind || ' ' || o.name INTO alien FROM (
        SELECT 'function' AS kind, p.oid::regprocedure::text AS name, p.proowner AS owner FROM pg_proc AS p
            WHERE p.pronamespace = space
        UNION ALL SELECT 'relation', c.oid::regclass::text, c.relowner FROM pg_class AS c WHERE c.relnamespace = space
        UNION ALL SELECT 'type', t.oid::regtype::text, t.typowner FROM pg_type AS t WHERE t.typnamespace = space
        UNION ALL SELECT 'operator', o.oid::regoperator::text, o.oprowner FROM pg_operator AS o
            WHERE o.oprnamespace = space) AS o
    WHERE o.owner IN (SELECT r.oid FROM pg_roles AS r WHERE NOT zerodb._trusts(r.oid)) ORDER BY 1 LIMIT 1;
    IF alien IS NOT NULL THEN
        RAISE EXCEPTION '% is there already and is not yours', alien
            USING ERRCODE = '42501', DETAIL = 'A store uses what lies in its schema, which would run with your rights.',
                  HINT = 'Give the store a schema of its own: SELECT zerodb.create_store(''my_store'').';
    END IF;
END
$$;
