-- The keys that events' ids are made of. `_event_id` is one of the library's, in install/native.sql.

-- The key inside an event id, given as evt_<32 hex digits> or as the UUID of the same digits. No row when it is
-- malformed or of another installation.
CREATE FUNCTION zerodb._event_key(id text, OUT xid xid8, OUT ord integer) RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT k.xid, k.ord FROM (SELECT zerodb._event_xid(id), zerodb._event_ord(id)) AS k (xid, ord)
    WHERE k.xid IS NOT NULL
$$;
