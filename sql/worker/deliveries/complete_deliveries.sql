-- Completes deliveries of batches, many in one row. $1 bigint: lease; $2 text: worker; the groups: $3 bigint[]: batch, $4 and
-- $5 int[]: first and last place in the arrays of deliveries, $6 and $7 bigint[]: least and greatest id, $8 and $9 xid8[]: least
-- and greatest transaction; the deliveries: $10 bigint[]: id, $11 xid8[] and $12 int[]: event, $13 timestamptz[]: start,
-- $14 int[]: duration in ms, $15 int[]: status; $16 boolean: whether the ledger keeps completed attempts; $17 bigint[]: batches
-- of which every delivery has now ended. Returns how many deliveries were accepted: those of a lease that has passed to
-- another are refused. Writing the same group a second time has no effect.
-- Locks: the lease FOR KEY SHARE: with it, no reaper takes a batch away meanwhile; batches FOR UPDATE SKIP LOCKED.
-- Indexes: batch_pkey (IS NOT DISTINCT FROM keeps the planner from reading all of the lease), completion_first.
WITH held AS MATERIALIZED (
    SELECT l.id FROM zerodb.lease AS l WHERE l.id = $1::bigint FOR KEY SHARE
), groups AS MATERIALIZED (
    SELECT b.created_at, b.hook_id, b.user_id, b.slot, g.*
    FROM held AS h
    CROSS JOIN unnest($3::bigint[], $4::integer[], $5::integer[], $6::bigint[], $7::bigint[], $8::xid8[], $9::xid8[])
        AS g (batch_id, first, last, first_id, last_id, first_xid, last_xid)
    JOIN zerodb.batch AS b ON b.id = g.batch_id AND b.lease_id IS NOT DISTINCT FROM h.id
), completed AS (
    INSERT INTO zerodb.completion (batch_id, first_id, last_id, first_xid, last_xid, created_at, hook_id, user_id, size, slot,
        ids, event_xids, event_ords, started_at, duration_ms, status, worker)
    SELECT g.batch_id, g.first_id, g.last_id, g.first_xid, g.last_xid, g.created_at, g.hook_id, g.user_id, g.last - g.first + 1, g.slot,
        ($10::bigint[])[g.first:g.last], ($11::xid8[])[g.first:g.last], ($12::integer[])[g.first:g.last],
        CASE WHEN $16::boolean THEN ($13::timestamptz[])[g.first:g.last] END,
        CASE WHEN $16::boolean THEN ($14::integer[])[g.first:g.last] END,
        CASE WHEN $16::boolean THEN ($15::integer[])[g.first:g.last] END, $2::text
    FROM groups AS g
    ON CONFLICT (first_id, slot) DO NOTHING
), over AS MATERIALIZED (
    -- One that another session holds stays: it goes with its lease.
    SELECT b.id FROM held AS h JOIN zerodb.batch AS b ON b.id = ANY ($17::bigint[]) AND b.lease_id IS NOT DISTINCT FROM h.id
    FOR UPDATE OF b SKIP LOCKED
), ended AS (
    DELETE FROM zerodb.batch AS b USING over AS o WHERE b.id = o.id
)
SELECT coalesce(sum(g.last - g.first + 1), 0)::bigint FROM groups AS g
