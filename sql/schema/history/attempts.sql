-- API: public. The attempts of one delivery.

CREATE FUNCTION zerodb.list_attempts(delivery_id bigint) RETURNS SETOF zerodb.attempts
LANGUAGE sql STABLE ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.* FROM zerodb.attempts AS a WHERE a.delivery_id = list_attempts.delivery_id
    ORDER BY a.started_at DESC, a.attempt DESC LIMIT 1000
$$;
COMMENT ON FUNCTION zerodb.list_attempts(bigint) IS
    'The attempts of a delivery, the last one first, at most 1,000 of them';
