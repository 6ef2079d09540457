-- When the first attempt ended that one partition of the ledger keeps from a place on; null where there is none.
-- $1 text: `attempt` or `completion`; $2 smallint: slot; $3 text: place, as a tid.
-- Locks: none. Relies on the position in the partition (tid range scan).
SELECT CASE $1::text
    WHEN 'completion' THEN (SELECT c.finished_at FROM zerodb.completion AS c
        WHERE c.slot = $2::smallint AND c.ctid >= $3::text::tid LIMIT 1)
    ELSE (SELECT a.started_at + a.duration_ms * interval '1 ms' FROM zerodb.attempt AS a
        WHERE a.slot = $2::smallint AND a.ctid >= $3::text::tid LIMIT 1) END AS ended_at
