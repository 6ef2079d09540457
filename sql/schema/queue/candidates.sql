-- Pairs of an event and a hook that dispatch does not decide: the hook's "when" or "order_by" may take long over this
-- event. Dispatch puts them here, in its own transaction; judge_candidates.sql makes deliveries of those that match,
-- hook by hook and with a time limit, so that nobody's condition holds up anybody else's events. A hook whose condition
-- does not end is switched off.

CREATE TABLE zerodb.candidate (
    id bigint PRIMARY KEY,
    event_xid xid8 NOT NULL,
    written_at timestamptz NOT NULL,
    turn bigint NOT NULL,
    hook_id uuid NOT NULL,
    user_id uuid NOT NULL,
    event_ord integer NOT NULL,
    event_slot smallint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
COMMENT ON TABLE zerodb.candidate IS 'Events that may match a hook: its condition is yet to be evaluated';
COMMENT ON COLUMN zerodb.candidate.id IS 'That of the delivery which it becomes';
COMMENT ON COLUMN zerodb.candidate.turn IS 'The cursor''s seq of its dispatch, see order.sql';
COMMENT ON COLUMN zerodb.candidate.user_id IS 'The owner of the hook';
CREATE INDEX candidate_place ON zerodb.candidate (hook_id, written_at, event_xid, event_ord);
CREATE INDEX candidate_event ON zerodb.candidate (event_xid, event_ord);

-- True of a "when" or "order_by" whose cost has a bound where it meets no array: a path of keys, compared with a
-- constant or asked whether it is there, a few of them joined. Strings are blanked first, so that what is in them is no
-- syntax.
CREATE FUNCTION zerodb._is_simple(path text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on
AS $$
DECLARE
    keys CONSTANT text := '\$(\."")+';
    constant CONSTANT text := '(""|-?[0-9][0-9.eE+-]*|true|false|null)';
    atom CONSTANT text := format(
        '(%1$s (==|!=|<|>|<=|>=) %2$s|%2$s (==|!=|<|>|<=|>=) %1$s|exists \(%1$s\)|%1$s starts with "")', keys, constant);
    blanked text;
BEGIN
    IF path IS NULL THEN
        RETURN true;
    ELSIF length(path) > 500 THEN
        RETURN false;
    END IF;
    blanked := regexp_replace(path::jsonpath::text, '"([^"\\]|\\.)*"', '""', 'g');
    RETURN blanked ~ format('^(strict )?(%s|[(! ]*%s\)*( (&&|\|\|) [(! ]*%s\)*)*)$', keys, atom, atom);
EXCEPTION WHEN OTHERS THEN
    RETURN false;
END
$$;
