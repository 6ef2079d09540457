-- Deleting rows that no longer count. Called by the worker; with the owner's rights.

-- Deletes, of the `batch` deliveries after the id `after`, those that ended before the retention. `reached` is the id
-- after which the next call goes on, and `more` says whether it is worth while now: ids are given in the order in
-- which deliveries are made, so where none of a batch was made before the retention, none of the later ones ended
-- before it. So a call costs the same however many there are, and what waits for ever is not looked at each time.
CREATE FUNCTION zerodb._prune_deliveries(retention interval, after bigint, batch integer,
    OUT reached bigint, OUT pruned bigint, OUT more boolean)
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    since timestamptz := clock_timestamp() - retention;
BEGIN
    WITH next AS MATERIALIZED (
        SELECT d.id, d.created_at < since AS is_old FROM zerodb.delivery AS d WHERE d.id > after
        ORDER BY d.id LIMIT batch
    ), ended AS (
        SELECT d.id FROM next AS n JOIN zerodb.delivery AS d ON d.id = n.id
        WHERE d.state IN ('completed', 'discarded', 'cancelled') AND d.finished_at < since
        FOR UPDATE OF d SKIP LOCKED
    ), gone AS (
        DELETE FROM zerodb.delivery AS d USING ended AS e WHERE d.id = e.id RETURNING d.id
    )
    SELECT coalesce(max(n.id) FILTER (WHERE n.is_old), after), (SELECT count(*) FROM gone),
        count(*) >= batch AND bool_or(n.is_old)
    INTO reached, pruned, more FROM next AS n;
END
$$;

-- Deletes cursor rows that no longer count, keeping the last thousand to read what happened, and of the others one for
-- five seconds as long as the log keeps events of that time: `_xids_between` asks for them.
CREATE FUNCTION zerodb._prune_cursor() RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    pruned bigint;
BEGIN
    WITH gone AS (
        DELETE FROM zerodb.cursor AS c WHERE c.seq < (SELECT max(last.seq) FROM zerodb.cursor AS last) - 1000
        RETURNING c.moved_at, c.upto
    ), kept AS (
        INSERT INTO zerodb.log_time (moved_at, upto)
        SELECT DISTINCT ON (date_bin('5 s', g.moved_at, '2000-01-01')) g.moved_at, g.upto FROM gone AS g
        ORDER BY date_bin('5 s', g.moved_at, '2000-01-01'), g.moved_at
        ON CONFLICT DO NOTHING
    )
    SELECT count(*) INTO pruned FROM gone;
    -- An event may be as old as the eight partitions, of which each is written to for a sixth of the retention.
    DELETE FROM zerodb.log_time AS t
    WHERE t.moved_at < clock_timestamp() - 2 * coalesce(current_setting('zerodb.retention', true), '7 d')::interval;
    RETURN pruned;
END
$$;
