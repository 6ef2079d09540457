-- Attempts of one partition of zerodb.attempt that ended since a time, by outcome, and since when that is known: of its last blocks
-- alone. $1 smallint: slot; $2 bigint: blocks; $3 double precision: seconds.
-- Locks: none. Relies on the position in the partition (tid range scan).
SELECT count(*) FILTER (WHERE a.outcome = 'completed') AS completed, count(*) FILTER (WHERE a.outcome = 'failed') AS failed,
    count(*) FILTER (WHERE a.outcome = 'discarded') AS discarded,
    coalesce(extract(epoch FROM clock_timestamp() - min(a.started_at)), 0)::double precision AS seconds
FROM zerodb.attempt AS a
WHERE a.slot = $1::smallint
    AND a.started_at + a.duration_ms * interval '1 ms' > clock_timestamp() - $3::double precision * interval '1 s'
    AND a.ctid >= (SELECT format('(%s,0)', greatest(pg_relation_size(format('zerodb.attempt_%s', $1::smallint)::regclass)
        / current_setting('block_size')::bigint - $2::bigint, 0))::tid)
