-- Workers by their leases, and the work there is: events undispatched, deliveries due, deliveries of dead workers; each of them
-- is counted to 10,000. No parameters.
-- Locks: none. Relies on outbox_key, delivery_queue, delivery_lease and batch_pkey.
SELECT
    (SELECT count(*) FROM zerodb.lease AS l WHERE l.expires_at > clock_timestamp()) AS alive,
    (SELECT count(*) FROM zerodb.lease AS l WHERE l.expires_at < clock_timestamp() - interval '1 minute') AS expired,
    (SELECT count(*) FROM zerodb._undispatched(10000)) AS undispatched,
    (SELECT count(*) FROM (
        SELECT FROM zerodb.delivery AS d JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id AND h.is_active
        WHERE d.due_at <= clock_timestamp() LIMIT 10000) AS d) AS due,
    (SELECT count(*) FROM (
        SELECT FROM zerodb.delivery AS d JOIN zerodb.lease AS l ON l.id = d.lease_id
        WHERE d.state = 'running' AND l.expires_at < clock_timestamp() - interval '1 minute' LIMIT 10000) AS d)
        + (SELECT count(*) FROM zerodb._running_delivery AS r JOIN zerodb.lease AS l ON l.id = r.lease_id
        WHERE l.expires_at < clock_timestamp() - interval '1 minute') AS orphaned
