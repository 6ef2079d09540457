-- The ids of events, and the keys that they are made of.

CREATE FUNCTION zerodb._event_id(xid xid8, ord integer) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'evt_' || lpad(to_hex(i.salt), 8, '0') || lpad(to_hex(xid::text::bigint), 16, '0')
        || lpad(to_hex(ord), 8, '0')
    FROM zerodb.instance AS i
$$;

-- The key inside an event id, given as evt_<32 hex digits> or as the UUID of the same digits. No row when it is
-- malformed or of another installation.
CREATE FUNCTION zerodb._event_key(id text, OUT xid xid8, OUT ord integer) RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ('x' || substr(h, 9, 16))::bit(64)::bigint::text::xid8, ('x' || substr(h, 25, 8))::bit(32)::integer
    FROM (SELECT replace(regexp_replace(lower(id), '^evt_', ''), '-', '')) AS digits (h)
    WHERE h ~ '^[0-9a-f]{8}[0-7][0-9a-f]{23}$'
        AND substr(h, 1, 8) = (SELECT lpad(to_hex(i.salt), 8, '0') FROM zerodb.instance AS i)
$$;
