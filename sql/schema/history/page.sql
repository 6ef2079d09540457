-- What the lists have in common: for whom they are, and how much one call may ask for. They run with the rights of the
-- extension's owner and decide by `caller` alone: only so is a limit of what is read one of all that is read, and not
-- of what the caller sees of it.

-- The tenant whose rows are listed, null for all: that of the caller, or for an administrator the one asked for. 42501
-- when the role may not act for it, and when it acts for nobody.
CREATE FUNCTION zerodb._listed_tenant(caller oid, wanted uuid) RETURNS uuid
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN zerodb._sees_all(caller) THEN coalesce(wanted, zerodb._tenant(caller))
        ELSE zerodb._acting_user(caller, wanted) END
$$;

-- 22023 for a page that no call gives.
CREATE FUNCTION zerodb._check_page(max_rows integer, since timestamptz, until timestamptz) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF max_rows IS NULL OR max_rows NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'max_rows is %', coalesce(max_rows::text, 'NULL')
            USING ERRCODE = '22023',
                  HINT = 'Give 1 to 1000, and go on with before => the cursor of the last row.';
    ELSIF since >= until THEN
        RAISE EXCEPTION 'since is not before until'
            USING ERRCODE = '22023', HINT = 'What happened at since is listed, what happened at until is not.';
    END IF;
END
$$;

-- The key of an event, given as its id. 22023 for what is none of this installation.
CREATE FUNCTION zerodb._key_to_list(id text, parameter text, OUT xid xid8, OUT ord integer)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT k.xid, k.ord INTO xid, ord FROM zerodb._event_key(id) AS k;
    IF xid IS NULL THEN
        RAISE EXCEPTION '% is no event of this installation', parameter
            USING ERRCODE = '22023', DETAIL = format('It is %L.', left(id, 100)),
                  HINT = 'Give an id as zerodb.events has it, or the cursor of a row of zerodb.list_events.';
    END IF;
END
$$;

-- The key that a page of events begins below: that of the cursor, or the least of a transaction before which all of it
-- lies, whichever is less. One bound alone: an index is entered by one.
CREATE FUNCTION zerodb._place_to_list(before text, last xid8, OUT xid xid8, OUT ord integer)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF before IS NOT NULL THEN
        SELECT k.xid, k.ord INTO xid, ord FROM zerodb._key_to_list(before, 'before') AS k;
    END IF;
    last := coalesce(last, '9223372036854775807');
    IF xid IS NULL OR xid >= last THEN
        xid := last;
        ord := -2147483648;
    END IF;
END
$$;

CREATE FUNCTION zerodb._check_listed_type(event_type text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF event_type IS NOT NULL THEN
        PERFORM zerodb._check_event_pattern(event_type);
    END IF;
END
$$;
