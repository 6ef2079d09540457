-- API: public. Backfills: a hook's work on the rows that were there before it, page by page in the order of the primary key. One
-- row a hook and table; a worker that dies leaves its place, and another goes on from there.

CREATE TABLE zerodb.backfill (
    hook_id uuid NOT NULL REFERENCES zerodb.zerodb_hooks ON DELETE CASCADE,
    relid oid NOT NULL,
    event_type text NOT NULL,
    -- Rows without a result only, or all whose result is not up to date.
    missing_only boolean NOT NULL,
    -- Also results that the application gave.
    replaces_given boolean NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    total bigint,
    seen bigint NOT NULL DEFAULT 0,
    done bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    after_key jsonb,
    lease_id bigint,
    not_before timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_error text,
    PRIMARY KEY (hook_id, relid)
) WITH (fillfactor = 50);
COMMENT ON TABLE zerodb.backfill IS 'Backfills that run or have run, one a hook and table';

CREATE TABLE zerodb.backfill_failure (
    hook_id uuid NOT NULL,
    relid oid NOT NULL,
    key jsonb NOT NULL,
    error text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (hook_id, relid, key),
    FOREIGN KEY (hook_id, relid) REFERENCES zerodb.backfill ON DELETE CASCADE
);
COMMENT ON TABLE zerodb.backfill_failure IS 'Rows that the last backfill of a hook could not do, and why';

CREATE VIEW zerodb.backfills WITH (security_invoker) AS
SELECT b.hook_id, h.hook_name, b.relid::regclass AS target,
    CASE WHEN b.finished_at IS NOT NULL THEN 'finished' WHEN NOT h.is_active THEN 'paused'
        WHEN b.not_before > clock_timestamp() THEN 'waiting'
        WHEN EXISTS (SELECT FROM zerodb.lease AS l WHERE l.id = b.lease_id) THEN 'running' ELSE 'queued' END AS state,
    b.total, b.seen, b.done, b.failed,
    round(100.0 * b.seen / nullif(greatest(b.total, b.seen), 0), 1) AS percent,
    CASE WHEN b.finished_at IS NULL AND b.seen > 0 AND b.total > b.seen
        THEN (clock_timestamp() - b.started_at) * ((b.total - b.seen)::float8 / b.seen) END AS remaining,
    b.started_at, b.finished_at, b.last_error
FROM zerodb.backfill AS b JOIN zerodb.zerodb_hooks AS h ON h.id = b.hook_id;
COMMENT ON VIEW zerodb.backfills IS 'Progress of backfills: rows seen of total, done (given a new result), failed';

-- Starts, or starts again, the backfill of the tables that a hook's events come from.
CREATE FUNCTION zerodb._start_backfill(caller oid, hook_id uuid, target regclass, missing_only boolean,
    replaces_given boolean)
RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    hook zerodb.zerodb_hooks := zerodb._hook_to_change(caller, hook_id);
    started integer;
BEGIN
    PERFORM zerodb._check_steering(caller, hook);
    IF hook.hook_type <> 'first_party' OR hook.hook_name <> 'auto_embed' THEN
        RAISE EXCEPTION 'hook % cannot be backfilled', quote_literal(hook.hook_name)
            USING ERRCODE = '22023', DETAIL = 'Only auto_embed works on rows that were there before it.',
                  HINT = 'For other hooks, zerodb.replay delivers the events of the log again.';
    END IF;
    WITH watched AS (
        SELECT DISTINCT ON (w.tgrelid) w.tgrelid, w.mapping ->> 'event' AS event_type FROM zerodb._watch_trigger AS w
        WHERE zerodb._may_name(w.arguments, hook.event_type)
            AND hook.event_type = ANY (zerodb._patterns(w.mapping ->> 'event')) AND w.operation IN ('insert', 'update')
            AND (target IS NULL OR w.tgrelid = target)
            AND zerodb._has_vectors(w.tgrelid, hook.hook_config)
        ORDER BY w.tgrelid, w.mapping ->> 'event'
    ), begun AS (
        INSERT INTO zerodb.backfill AS b (hook_id, relid, event_type, missing_only, replaces_given)
        SELECT hook.id, w.tgrelid, w.event_type, missing_only, replaces_given FROM watched AS w
        ON CONFLICT ON CONSTRAINT backfill_pkey DO UPDATE
            SET event_type = excluded.event_type, missing_only = excluded.missing_only,
            replaces_given = excluded.replaces_given, started_at = excluded.started_at, finished_at = NULL,
                total = NULL, seen = 0, done = 0,
            failed = 0, after_key = NULL, lease_id = NULL, not_before = excluded.not_before, last_error = NULL
        RETURNING b.relid
    ), forgotten AS (
        DELETE FROM zerodb.backfill_failure AS f USING begun AS b WHERE f.hook_id = hook.id AND f.relid = b.relid
    )
    SELECT count(*) INTO started FROM begun;
    IF started = 0 THEN
        RAISE EXCEPTION 'hook % has no table to backfill', quote_literal(hook.hook_name)
            USING ERRCODE = '22023',
                  HINT = 'Watch the table first: SELECT zerodb.watch(''your_table'', '
                      || quote_literal(hook.event_type) || ', …).';
    END IF;
    PERFORM zerodb._audit('hook.backfilled', hook.user_id, hook.id, hook.hook_name, NULL, jsonb_build_object(
        'tables', started, 'missing_only', missing_only, 'replaces_given', replaces_given));
    RETURN started;
END
$$;

-- A watched table that a hook can embed: it has the column of vectors and those of the text, or a table of chunks.
CREATE FUNCTION zerodb._has_vectors(relid oid, config jsonb) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_array_length(zerodb._fitting_chunks(relid, config)), 0) = 1
        OR NOT config ? 'chunk_table' AND zerodb._is_vector_column(relid,
            coalesce(config ->> 'target_column', 'embedding'))
        AND (config ? 'template' OR zerodb._has_column(relid, coalesce(config ->> 'content', 'content')))
$$;

CREATE FUNCTION zerodb.backfill(hook_id uuid, target regclass DEFAULT NULL) RETURNS integer
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.backfill(uuid, regclass) IS
    'Gives a result to the rows that have none, in the background; returns the number of tables; see zerodb.backfills. P0002 without the hook, 22023 without a table, 42501 for a hook with the rights of another role';

CREATE FUNCTION zerodb._backfill(caller oid, hook_id uuid, target regclass) RETURNS integer
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT zerodb._start_backfill(_backfill.caller, _backfill.hook_id, _backfill.target, true, false) $$;

CREATE FUNCTION zerodb.reembed(hook_id uuid, target regclass DEFAULT NULL, replace_given boolean DEFAULT false)
RETURNS integer
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.reembed(uuid, regclass, boolean) IS
    'Embeds every row again that is not of the hook''s present model, dimensions and template; with replace_given also those that the application embedded';

CREATE FUNCTION zerodb._reembed(caller oid, hook_id uuid, target regclass, replace_given boolean) RETURNS integer
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT zerodb._start_backfill(_reembed.caller, _reembed.hook_id, _reembed.target, false,
        coalesce(_reembed.replace_given, false))
$$;

-- 22023 when an auto_embed hook does not fit the tables whose events it gets, as far as they are the role's or of one
-- it may act for: another role's table must not decide what hooks can be made, nor show its columns in an error.
CREATE FUNCTION zerodb._check_embed_targets(role oid, event_type text, hook_name text, hook_config jsonb) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    watched record;
    wanted integer;
    has integer;
    target text := coalesce(hook_config ->> 'target_column', 'embedding');
    holder oid;
BEGIN
    IF hook_name <> 'auto_embed' THEN
        RETURN;
    END IF;
    IF hook_config ? 'chunk_table' AND hook_config ? 'template' THEN
        PERFORM zerodb._bad_embed('"template" and "chunk_table" exclude each other',
            'Give one of them: chunks are embedded with the headings above them.');
    END IF;
    wanted := (hook_config ->> 'dimensions')::integer;
    FOR watched IN SELECT DISTINCT w.tgrelid FROM zerodb._watch_trigger AS w
        WHERE zerodb._may_name(w.arguments, event_type) AND event_type = w.mapping ->> 'event'
            AND w.operation IN ('insert', 'update')
            AND pg_has_role(role, (SELECT c.relowner FROM pg_class AS c WHERE c.oid = w.tgrelid), 'USAGE')
    LOOP
        holder := coalesce((zerodb._chunks_of(watched.tgrelid, hook_config) ->> 'chunks')::oid, watched.tgrelid);
        IF hook_config ? 'target_column' AND NOT zerodb._has_column(holder, target) THEN
            PERFORM zerodb._no_column(holder, target);
        END IF;
        IF hook_config ? 'content' AND NOT zerodb._has_column(watched.tgrelid, hook_config ->> 'content') THEN
            PERFORM zerodb._no_column(watched.tgrelid, hook_config ->> 'content');
        END IF;
        has := zerodb._vector_dimensions(holder, target);
        IF has <> wanted THEN
            RAISE EXCEPTION 'the hook wants % dimensions, column % of % has %', wanted, quote_ident(target),
                holder::regclass, has
                USING ERRCODE = '22023', HINT = format('Leave "dimensions" out, or give %s; a model of other dimensions needs a column of its own.', has);
        END IF;
    END LOOP;
END
$$;
