-- Which event types writers must record: those that an active hook names. Each backend remembers the answers and is
-- told when one may be wrong (extension/src/capture/wanted.rs). Telling must not cost writers anything that grows
-- with the number of hooks, and little even if hooks are made and deleted all the time.

-- Neither ever has a row: what is told is that one of them has changed, by which every backend hears of it at commit.
-- That of the hooks' own table would make each backend read its definition anew, and the worker plan its statements
-- anew, at each change of a hook.
CREATE TABLE zerodb.hook_gained ();
COMMENT ON TABLE zerodb.hook_gained IS 'Stands for the news that an event type may now be wanted; has no rows';
CREATE TABLE zerodb.hook_lost ();
COMMENT ON TABLE zerodb.hook_lost IS 'Stands for the news that an event type may no longer be wanted; has no rows';

-- Tells of a new active hook, and of one that went if no other of its pattern is left. Whoever deletes another one at
-- the same moment may be overlooked: a type that nobody wants any more is recorded a little longer then. The other way
-- round nothing may be overlooked, so a new hook is always told of.
CREATE FUNCTION zerodb._tell_writers() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    gained boolean := false;
    lost boolean := false;
BEGIN
    IF TG_OP = 'INSERT' THEN
        gained := EXISTS (SELECT FROM new_hooks AS n WHERE n.is_active);
    ELSIF TG_OP = 'DELETE' THEN
        lost := EXISTS (SELECT FROM (SELECT DISTINCT o.event_type FROM old_hooks AS o WHERE o.is_active) AS p
            WHERE NOT EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.is_active AND h.event_type = p.event_type));
    ELSE
        -- Sets of patterns, not a join of the rows: of these the planner knows no sizes, and joins them in loops.
        gained := EXISTS (SELECT n.event_type FROM new_hooks AS n WHERE n.is_active
            EXCEPT SELECT o.event_type FROM old_hooks AS o WHERE o.is_active);
        lost := EXISTS (
            SELECT FROM (SELECT o.event_type FROM old_hooks AS o WHERE o.is_active
                EXCEPT SELECT n.event_type FROM new_hooks AS n WHERE n.is_active) AS p
            WHERE NOT EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.is_active AND h.event_type = p.event_type));
    END IF;
    IF gained OR lost THEN
        PERFORM zerodb._tell_of_hooks(gained, lost);
    END IF;
    RETURN NULL;
END
$$;
-- ALWAYS, so that a hook written under replica role counts too. TRUNCATE tells of itself: it changes the table.
CREATE TRIGGER tell_of_new AFTER INSERT ON zerodb.zerodb_hooks
REFERENCING NEW TABLE AS new_hooks FOR EACH STATEMENT EXECUTE FUNCTION zerodb._tell_writers();
CREATE TRIGGER tell_of_changed AFTER UPDATE ON zerodb.zerodb_hooks
REFERENCING OLD TABLE AS old_hooks NEW TABLE AS new_hooks FOR EACH STATEMENT EXECUTE FUNCTION zerodb._tell_writers();
CREATE TRIGGER tell_of_deleted AFTER DELETE ON zerodb.zerodb_hooks
REFERENCING OLD TABLE AS old_hooks FOR EACH STATEMENT EXECUTE FUNCTION zerodb._tell_writers();
ALTER TABLE zerodb.zerodb_hooks ENABLE ALWAYS TRIGGER tell_of_new, ENABLE ALWAYS TRIGGER tell_of_changed,
    ENABLE ALWAYS TRIGGER tell_of_deleted;
