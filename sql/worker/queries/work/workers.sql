-- Workers by their leases, and the work there is: events undispatched, deliveries due, deliveries of dead workers. No parameters.
-- Locks: none. Relies on outbox_key, delivery_queue, delivery_lease and batch_pkey. The place of the dispatcher is compared here and
-- not with zerodb._is_dispatched, which is called once an event and takes long for a large backlog.
WITH place AS MATERIALIZED (
    SELECT c.done, c.upto, c.xid, c.ord FROM zerodb.cursor AS c ORDER BY c.seq DESC LIMIT 1
)
SELECT
    (SELECT count(*) FROM zerodb.lease AS l WHERE l.expires_at > clock_timestamp()) AS alive,
    (SELECT count(*) FROM zerodb.lease AS l WHERE l.expires_at < clock_timestamp() - interval '1 minute') AS expired,
    (SELECT count(*) FROM place AS p JOIN zerodb.outbox AS o ON o.xid >= pg_snapshot_xmin(p.done)
        WHERE NOT pg_visible_in_snapshot(o.xid, p.done)
            AND NOT (pg_visible_in_snapshot(o.xid, p.upto) AND (o.xid, o.ord) <= (p.xid, p.ord))) AS undispatched,
    (SELECT count(*) FROM zerodb.delivery AS d JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id AND h.is_active
        WHERE d.due_at <= clock_timestamp()) AS due,
    (SELECT count(*) FROM zerodb.delivery AS d JOIN zerodb.lease AS l ON l.id = d.lease_id
        WHERE d.state = 'running' AND l.expires_at < clock_timestamp() - interval '1 minute')
        + (SELECT count(*) FROM zerodb._running_delivery AS r JOIN zerodb.lease AS l ON l.id = r.lease_id
        WHERE l.expires_at < clock_timestamp() - interval '1 minute') AS orphaned
