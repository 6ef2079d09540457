-- What of this database the bench would disturb, or be disturbed by: live workers, hooks that match the events of the bench,
-- active hooks, and what waits for them. Without a live worker, what runs is what a dead one left. No parameters.
-- Locks: none. Relies on outbox_key, delivery_queue and delivery_lease.
SELECT
    ARRAY(SELECT l.worker FROM zerodb.lease AS l
        WHERE l.expires_at > clock_timestamp() AND NOT starts_with(l.worker, 'zerodb_hooks_bench:') ORDER BY l.id) AS workers,
    ARRAY(SELECT h.hook_name::text FROM zerodb.zerodb_hooks AS h
        WHERE h.is_active AND h.event_type = ANY (zerodb._patterns('zerodb_hooks_bench.item_stored'))
            AND h.user_id = zerodb._every_user() AND h.project_id IS NULL ORDER BY h.hook_name) AS matching,
    (SELECT count(*) FROM zerodb.zerodb_hooks AS h WHERE h.is_active) AS active,
    (SELECT count(*) FROM zerodb._undispatched() AS u WHERE u.event_type <> 'zerodb_hooks_bench.item_stored')
        + (SELECT count(*) FROM zerodb.delivery AS d JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id AND h.is_active
            WHERE d.due_at IS NOT NULL)
        + (SELECT count(*) FROM zerodb.delivery AS d WHERE d.lease_id IS NOT NULL AND d.state = 'running')
        + (SELECT coalesce(sum(cardinality(b.ids)), 0) FROM zerodb.batch AS b)::bigint AS waiting,
    coalesce(current_setting('zerodb.notify', true), 'on')::boolean AS notify
