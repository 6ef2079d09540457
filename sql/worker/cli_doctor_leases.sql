-- Workers by their leases, and the work there is: events undispatched, deliveries due, deliveries of dead workers. No parameters.
-- Locks: none. Relies on outbox_key, delivery_queue and delivery_lease.
WITH place AS (
    SELECT pg_catalog.pg_snapshot_xmin(c.done) AS done_xmin FROM zerodb.cursor AS c ORDER BY c.seq DESC LIMIT 1
)
SELECT
    (SELECT count(*) FROM zerodb.lease AS l WHERE l.expires_at > pg_catalog.clock_timestamp()) AS alive,
    (SELECT count(*) FROM zerodb.lease AS l WHERE l.expires_at < pg_catalog.clock_timestamp() - interval '1 minute') AS expired,
    (SELECT count(*) FROM place AS p JOIN zerodb.outbox AS o ON o.xid >= p.done_xmin
        WHERE NOT zerodb._is_dispatched(o.xid, o.ord)) AS undispatched,
    (SELECT count(*) FROM zerodb.delivery AS d WHERE d.due_at <= pg_catalog.clock_timestamp()
        AND EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = d.hook_id AND h.is_active)) AS due,
    (SELECT count(*) FROM zerodb.delivery AS d JOIN zerodb.lease AS l ON l.id = d.lease_id
        WHERE d.state = 'running' AND l.expires_at < pg_catalog.clock_timestamp() - interval '1 minute') AS orphaned
