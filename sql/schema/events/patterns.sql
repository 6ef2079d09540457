-- What a hook may name as its event type: a registered type, a prefix of types, or all of them.

-- 22023 unless the pattern is `*`, a registered type, or a prefix ending in `.*` that a type can begin with: those of
-- the built-in types are all there, and a channel is no prefix. A prefix of types that may be registered yet gives a
-- NOTICE.
CREATE FUNCTION zerodb._check_event_pattern(pattern text)
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF pattern = '*' OR EXISTS (SELECT FROM zerodb.event_type AS t WHERE t.name = pattern) THEN
        RETURN;
    END IF;
    IF pattern ~ '^[a-z][a-z0-9_]*([.][a-z][a-z0-9_]*)*[.][*]$' AND length(pattern) <= 100 THEN
        PERFORM zerodb._check_event_prefix(pattern);
        RETURN;
    END IF;
    RAISE EXCEPTION 'unknown event type %', coalesce(quote_literal(pattern), 'NULL')
        USING ERRCODE = '22023', COLUMN = 'event_type',
              DETAIL = 'An event type is a registered name, a prefix ending in ''.*'', or ''*''.',
              HINT = coalesce('Did you mean ' || quote_literal(zerodb._nearest(left(pattern, 100),
                  zerodb._type_names())) || '? ', '')
                  || 'See zerodb.event_types, or register it: SELECT zerodb.register_event_type('
                  || coalesce(quote_literal(pattern), '''name''') || ', ''app'', ''{id}'', ''what happened'').';
END
$$;

CREATE FUNCTION zerodb._type_names() RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT array_agg(t.name::text ORDER BY t.name)
    FROM (SELECT e.name FROM zerodb.event_type AS e ORDER BY e.builtin DESC, e.name LIMIT 1000) AS t
$$;

CREATE FUNCTION zerodb._check_event_prefix(pattern text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    word text := split_part(pattern, '.', 1);
    -- Of a channel whose name somebody took for a prefix.
    of_channel text := (SELECT string_agg(t.name, ', ' ORDER BY t.name)
        FROM (SELECT e.name FROM zerodb.event_type AS e WHERE e.channel = word ORDER BY e.name LIMIT 20) AS t);
    nearest text;
    hint text;
BEGIN
    IF EXISTS (SELECT FROM zerodb.event_type AS t WHERE starts_with(t.name, left(pattern, -1))) THEN
        RETURN;
    END IF;
    nearest := zerodb._nearest(left(pattern, -2), ARRAY(
        SELECT DISTINCT left(p.pattern, -2) FROM unnest(zerodb._type_names()) AS n (name),
            unnest((zerodb._patterns(n.name))[3:]) AS p (pattern)));
    hint := CASE WHEN nearest IS NOT NULL THEN format('Did you mean %L?', nearest || '.*')
        WHEN of_channel IS NOT NULL AND pattern = word || '.*'
            THEN format('%s is a channel; its types have no such prefix: %s.', word, of_channel)
        ELSE 'Name types one by one, or take ''*'' with a "when"; see zerodb.event_types.' END;
    IF pattern ~ '^(zerodb|zeromemory)[.]|^on_' OR EXISTS (SELECT FROM zerodb.event_type AS t
        WHERE t.channel = word AND t.builtin)
    THEN
        RAISE EXCEPTION 'pattern % can match no event', quote_literal(pattern)
            USING ERRCODE = '22023', COLUMN = 'event_type', DETAIL = 'No event type begins with ' || quote_literal(left(pattern, -1)) || '.',
                  HINT = hint;
    END IF;
    RAISE NOTICE 'no registered event type begins with %', quote_literal(left(pattern, -1)) USING HINT = hint;
END
$$;
