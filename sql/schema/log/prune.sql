-- Deleting rows that no longer count. Called by the worker; with the owner's rights.

-- Deletes up to `batch` deliveries that ended before the retention; returns how many.
CREATE FUNCTION zerodb._prune_deliveries(retention interval, batch integer) RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    pruned bigint;
BEGIN
    WITH old AS (
        SELECT d.id FROM zerodb.delivery AS d
        WHERE d.state IN ('completed', 'discarded', 'cancelled') AND d.finished_at < clock_timestamp() - retention
        ORDER BY d.id LIMIT batch FOR UPDATE SKIP LOCKED
    )
    DELETE FROM zerodb.delivery AS d USING old WHERE d.id = old.id;
    GET DIAGNOSTICS pruned = ROW_COUNT;
    RETURN pruned;
END
$$;

-- Deletes cursor rows that no longer count, keeping the last thousand to read what happened.
CREATE FUNCTION zerodb._prune_cursor() RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    pruned bigint;
BEGIN
    DELETE FROM zerodb.cursor AS c WHERE c.seq < (SELECT max(last.seq) FROM zerodb.cursor AS last) - 1000;
    GET DIAGNOSTICS pruned = ROW_COUNT;
    RETURN pruned;
END
$$;
