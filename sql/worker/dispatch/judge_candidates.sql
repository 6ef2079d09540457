-- Evaluates what one hook asks of its candidates, the first written first, and makes deliveries of those that match, with the
-- candidates' ids. $1 uuid: hook; $2 int: most; $3 bigint: most bytes of event data, of which one event may have more. Returns the
-- ids of those that are decided, for drop_candidates.sql, each with whether it became a delivery. In a transaction with a time limit of
-- its own; the candidate is still there when the trigger of an ordered delivery asks for its turn.
-- Locks: candidates FOR UPDATE SKIP LOCKED. Indexes: candidate_place, outbox_key.
WITH chosen AS MATERIALIZED (
    SELECT c.*, coalesce(d.conditional, h.hook_config ? 'when') AS conditional, coalesce(d.ordered, h.hook_config ? 'order_by') AS ordered,
        d.predicate, d.order_by
    FROM zerodb.candidate AS c
    JOIN zerodb.zerodb_hooks AS h ON h.id = c.hook_id AND h.is_active
    LEFT JOIN zerodb.hook_detail AS d ON d.hook_id = h.id
    WHERE c.hook_id = $1::uuid ORDER BY c.written_at, c.event_xid, c.event_ord LIMIT $2::integer FOR UPDATE OF c SKIP LOCKED
), found AS MATERIALIZED (
    SELECT c.*, o.data, row_number() OVER so_far AS n, sum(octet_length(o.data::text)) OVER so_far AS bytes
    FROM chosen AS c
    LEFT JOIN zerodb.outbox AS o ON o.slot = c.event_slot AND o.xid = c.event_xid AND o.ord = c.event_ord
    WINDOW so_far AS (ORDER BY c.written_at, c.event_xid, c.event_ord ROWS UNBOUNDED PRECEDING)
), judged AS MATERIALIZED (
    -- An event that has left the log matches nothing.
    SELECT f.*, CASE WHEN f.data IS NULL THEN false WHEN f.conditional THEN zerodb._is_true(f.data, f.predicate) ELSE true END AS matches
    FROM found AS f WHERE f.n = 1 OR coalesce(f.bytes, 0) <= $3::bigint
), made AS (
    INSERT INTO zerodb.delivery (id, event_xid, event_ord, event_slot, hook_id, user_id, due_at, order_key)
    SELECT j.id, j.event_xid, j.event_ord, j.event_slot, j.hook_id, j.user_id, CASE WHEN NOT j.ordered THEN clock_timestamp() END,
        CASE WHEN j.ordered THEN zerodb._order_key(j.data, j.order_by) END
    FROM judged AS j WHERE j.matches ORDER BY j.n
    ON CONFLICT (id) DO NOTHING
)
SELECT j.id, j.matches FROM judged AS j
