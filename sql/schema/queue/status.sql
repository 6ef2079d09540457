-- API: public. Backlog, rate and health.

CREATE FUNCTION zerodb.status() RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH unread AS (
        SELECT o.created_at FROM zerodb._undispatched() AS o
    ), waiting AS (
        SELECT d.hook_id, count(*) AS n, count(*) FILTER (WHERE d.state = 'retryable') AS retryable,
            min(d.created_at) AS oldest
        FROM zerodb._waiting_delivery AS d GROUP BY d.hook_id
    ), ended AS (
        SELECT d.hook_id, (a.outcome = 'completed')::integer AS completed, (a.outcome = 'failed')::integer AS failed,
            (a.outcome = 'discarded')::integer AS discarded
        FROM zerodb.attempt AS a JOIN zerodb.delivery AS d ON d.id = a.delivery_id
        WHERE a.started_at > now() - interval '5 minutes'
        UNION ALL
        SELECT c.hook_id, c.size, 0, 0 FROM zerodb.completion AS c WHERE c.finished_at > now() - interval '5 minutes'
    ), recent AS (
        SELECT e.hook_id, sum(e.completed) AS completed, sum(e.failed) AS failed, sum(e.discarded) AS discarded
        FROM ended AS e GROUP BY e.hook_id
    )
    SELECT jsonb_build_object(
        'undispatched_events', (SELECT count(*) FROM unread),
        'waiting_deliveries', (SELECT coalesce(sum(w.n), 0) FROM waiting AS w),
        'undecided', (SELECT count(*) FROM zerodb.candidate),
        'running_deliveries', (SELECT count(*) FROM zerodb._any_delivery AS d
            JOIN zerodb.lease AS l ON l.id = d.lease_id
            WHERE d.state = 'running'),
        'oldest_age_seconds', (SELECT coalesce(round(extract(epoch FROM now() - least(
            (SELECT min(u.created_at) FROM unread AS u), (SELECT min(w.oldest) FROM waiting AS w))), 3), 0)),
        'attempts_per_second', (SELECT coalesce(round(sum(r.completed + r.failed + r.discarded) / 300.0, 2), 0)
            FROM recent AS r),
        'workers', (SELECT coalesce(jsonb_agg(jsonb_build_object('worker', l.worker, 'alive',
            l.expires_at > clock_timestamp()) ORDER BY l.id), '[]')
            FROM zerodb.lease AS l),
        'hooks', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', h.id, 'event_type', h.event_type, 'hook_name',
            h.hook_name,
            'is_active', h.is_active, 'fault', (SELECT f.reason FROM zerodb.hook_fault AS f WHERE f.hook_id = h.id),
                'waiting', coalesce(w.n, 0), 'retryable', coalesce(w.retryable, 0),
            'completed_5m', coalesce(r.completed, 0), 'failed_5m', coalesce(r.failed, 0), 'discarded_5m',
                coalesce(r.discarded, 0))
            ORDER BY h.created_at, h.id), '[]')
            FROM zerodb.zerodb_hooks AS h LEFT JOIN waiting AS w ON w.hook_id = h.id
                LEFT JOIN recent AS r ON r.hook_id = h.id))
$$;
COMMENT ON FUNCTION zerodb.status() IS
    'Backlog, oldest age, rate over five minutes, live workers and the health of each hook';
