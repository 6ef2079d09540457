-- What the audit trail says of watches. They live in triggers on users' tables, made with the caller's own rights; so
-- what is noted is what the catalog says, and nothing that a caller does.

-- A mapping as the trail has it. The catalog shows it to everybody, so nothing of it is a secret.
CREATE FUNCTION zerodb._audited_mapping(mapping jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN octet_length(mapping::text) <= 8192 THEN mapping
        WHEN mapping IS NOT NULL THEN jsonb_build_object('event', mapping -> 'event', 'operations', mapping -> 'operations',
            'bytes', octet_length(mapping::text), 'md5', md5(mapping::text)) END
$$;

-- API: for watch and unwatch, which run as the caller.
CREATE FUNCTION zerodb.note_watches(target regclass) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.note_watches(regclass) IS
    'Notes in zerodb.audit how the watches of a table differ from what was noted last; zerodb.watch and zerodb.unwatch call it';

-- 42501 unless the caller may put triggers on the table.
CREATE FUNCTION zerodb._note_watches(caller oid, target regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF has_table_privilege(caller, target, 'TRIGGER') IS NOT TRUE THEN
        RAISE EXCEPTION 'permission denied for table %', target
            USING ERRCODE = '42501', HINT = 'Its owner may watch it.';
    END IF;
    PERFORM zerodb._audit(
        CASE WHEN n.mapping IS NULL THEN 'watch.made' WHEN w.mapping IS NULL THEN 'watch.removed' ELSE 'watch.changed' END,
        coalesce(zerodb._tenant(caller), zerodb._every_user()), NULL, target::text, n.mapping, w.mapping)
    FROM (
        SELECT t.mapping ->> 'event' AS event, (array_agg(zerodb._audited_mapping(t.mapping) ORDER BY t.trigger_id))[1] AS mapping
        FROM zerodb._watch_trigger AS t WHERE t.tgrelid = target GROUP BY 1
    ) AS w
    FULL JOIN (
        SELECT DISTINCT ON (coalesce(a.after, a.before) ->> 'event') coalesce(a.after, a.before) ->> 'event' AS event,
            a.after AS mapping
        FROM zerodb.audit AS a WHERE a.object = left(target::text, 250) AND a.hook_id IS NULL AND a.action IN ('watch.made', 'watch.removed', 'watch.changed')
        ORDER BY 1, a.id DESC
    ) AS n ON n.event = w.event
    WHERE n.mapping IS DISTINCT FROM w.mapping;
END
$$;
