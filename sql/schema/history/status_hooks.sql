-- The hooks in the status: a hundred at most, those with trouble first.

-- Hooks that somebody should look at: switched off, with ends in the last minutes, with deliveries that wait; then others.
CREATE FUNCTION zerodb._notable_hooks(everybody boolean, tenant uuid, recent zerodb._recent_end[], most integer)
RETURNS SETOF uuid
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
    RETURN QUERY
    WITH RECURSIVE waiting (hook_id, n) AS (
        (SELECT d.hook_id, 1 FROM zerodb.delivery AS d WHERE everybody AND d.due_at IS NOT NULL ORDER BY d.hook_id LIMIT 1)
        UNION ALL
        SELECT (SELECT d.hook_id FROM zerodb.delivery AS d
            WHERE d.due_at IS NOT NULL AND d.hook_id > w.hook_id ORDER BY d.hook_id LIMIT 1), w.n + 1
        FROM waiting AS w WHERE w.hook_id IS NOT NULL AND w.n < most
    )
    SELECT DISTINCT n.hook_id FROM (
        (SELECT f.hook_id FROM zerodb.hook_fault AS f WHERE everybody OR f.user_id = tenant LIMIT most)
        UNION ALL
        (SELECT r.hook_id FROM unnest(recent) AS r ORDER BY r.failed + r.discarded DESC, r.completed DESC LIMIT most)
        UNION ALL
        SELECT w.hook_id FROM waiting AS w
        UNION ALL
        (SELECT h.id FROM zerodb.zerodb_hooks AS h WHERE everybody ORDER BY h.id LIMIT most + 1)
        UNION ALL
        (SELECT h.id FROM zerodb.zerodb_hooks AS h WHERE NOT everybody AND h.user_id = tenant LIMIT 1000)
    ) AS n WHERE n.hook_id IS NOT NULL;
END
$$;

-- {"hooks": […], "limited": whether there are more}.
CREATE FUNCTION zerodb._status_hooks(everybody boolean, tenant uuid, recent zerodb._recent_end[]) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
    most CONSTANT integer := 100;
    shown jsonb;
BEGIN
    SELECT jsonb_build_object('hooks', coalesce(jsonb_agg(s.hook ORDER BY s.place) FILTER (WHERE s.place <= most), '[]'),
        'limited', count(*) > most)
    INTO shown
    FROM (
        SELECT row_number() OVER (ORDER BY f.reason IS NOT NULL DESC, coalesce(r.failed + r.discarded, 0) > 0 DESC,
                w.retryable > 0 DESC, w.n > 0 DESC, coalesce(r.completed, 0) > 0 DESC, h.created_at, h.id) AS place,
            jsonb_build_object('id', h.id, 'event_type', h.event_type, 'hook_name', h.hook_name,
                'is_active', h.is_active, 'fault', f.reason, 'waiting', w.n, 'retryable', w.retryable,
                'completed_5m', coalesce(r.completed, 0), 'failed_5m', coalesce(r.failed, 0),
                'discarded_5m', coalesce(r.discarded, 0)) AS hook
        FROM zerodb._notable_hooks(everybody, tenant, recent, most) AS n (id)
        JOIN zerodb.zerodb_hooks AS h ON h.id = n.id AND (everybody OR h.user_id = tenant)
        LEFT JOIN unnest(recent) AS r ON r.hook_id = h.id
        LEFT JOIN zerodb.hook_fault AS f ON f.hook_id = h.id
        CROSS JOIN LATERAL (
            SELECT count(*) AS n, count(*) FILTER (WHERE q.state = 'retryable') AS retryable
            FROM (SELECT p.state FROM zerodb._waiting_delivery AS p WHERE p.hook_id = h.id LIMIT 1000) AS q
        ) AS w
    ) AS s;
    RETURN shown;
END
$$;
