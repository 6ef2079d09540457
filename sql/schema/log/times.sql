-- Which transactions may have written the events of a time. The log has no index by time, which every event would pay
-- for; but where the dispatcher stood when says which transactions were over by then, and which had not begun.

-- Places of the cursor that are kept as long as the log, one for five seconds in which something was dispatched.
CREATE TABLE zerodb.log_time (
    moved_at timestamptz PRIMARY KEY,
    upto pg_snapshot NOT NULL
);
COMMENT ON TABLE zerodb.log_time IS 'Where the dispatcher stood when: finds the events of a time';

-- Events created from `since` on have no transaction below `first`: those below had ended by then. Events created until
-- `until` have none from `last` on: those were begun later. Null where nothing is known. Exact as long as the server's
-- clock is not set back.
CREATE FUNCTION zerodb._xids_between(since timestamptz, until timestamptz, OUT first xid8, OUT last xid8)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_sort = off
AS $$
DECLARE
    -- The first place after `until`, whose own snapshot may be older.
    after record;
BEGIN
    SELECT pg_snapshot_xmin(p.upto) INTO first FROM (
        (SELECT t.moved_at, t.upto FROM zerodb.log_time AS t WHERE t.moved_at < since ORDER BY t.moved_at DESC LIMIT 1)
        UNION ALL
        (SELECT c.moved_at, c.upto FROM zerodb.cursor AS c WHERE c.moved_at < since ORDER BY c.seq DESC LIMIT 1)
    ) AS p ORDER BY p.moved_at DESC LIMIT 1;
    SELECT p.moved_at, p.upto INTO after FROM (
        (SELECT t.moved_at, t.upto FROM zerodb.log_time AS t WHERE t.moved_at > until ORDER BY t.moved_at LIMIT 1)
        UNION ALL
        (SELECT c.moved_at, c.upto FROM zerodb.cursor AS c WHERE c.moved_at > until ORDER BY c.seq LIMIT 1)
    ) AS p ORDER BY p.moved_at LIMIT 1;
    -- A snapshot that differs was taken after that place was.
    SELECT pg_snapshot_xmax(p.upto) INTO last FROM (
        (SELECT t.moved_at, t.upto FROM zerodb.log_time AS t
        WHERE t.moved_at > after.moved_at AND t.upto::text <> after.upto::text ORDER BY t.moved_at LIMIT 1)
        UNION ALL
        (SELECT c.moved_at, c.upto FROM zerodb.cursor AS c
        WHERE c.moved_at > after.moved_at AND c.upto::text <> after.upto::text ORDER BY c.seq LIMIT 1)
    ) AS p ORDER BY p.moved_at LIMIT 1;
END
$$;
