-- Deliveries of one partition of zerodb.completion that completed since a time, and since when that is known: of its last blocks
-- alone. $1 smallint: slot; $2 bigint: blocks; $3 double precision: seconds.
-- Locks: none. Relies on the position in the partition (tid range scan).
SELECT coalesce(sum(c.size), 0)::bigint AS completed, 0::bigint AS failed, 0::bigint AS discarded,
    coalesce(extract(epoch FROM clock_timestamp() - min(c.finished_at)), 0)::double precision AS seconds
FROM zerodb.completion AS c
WHERE c.slot = $1::smallint AND c.finished_at > clock_timestamp() - $3::double precision * interval '1 s'
    AND c.ctid >= (SELECT format('(%s,0)', greatest(pg_relation_size(format('zerodb.completion_%s', $1::smallint)::regclass)
        / current_setting('block_size')::bigint - $2::bigint, 0))::tid)
