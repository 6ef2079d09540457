-- May a request be sent to an endpoint now? $1 text: endpoint; $2 and $3 int: requests and tokens per minute, null for no limit;
-- $4 int: requests; $5 int: tokens; $6 int: ms for which a place may be taken ahead. Returns whether it was let in, the ms to
-- wait (before sending, or before asking again), what holds it (pause, requests, tokens), the reason of the pause, and whether the
-- request is the probe of an open circuit. Locks: with a limit or as a probe, and only when let in, the endpoint FOR NO KEY UPDATE, waiting at most 500 ms.
-- Indexes: endpoint_pkey, endpoint_admission_pkey backwards.
SELECT e.entered, e.wait_ms, e.held_by, e.pause_reason, e.probe
FROM zerodb._enter_endpoint($1::text, $2::integer, $3::integer, $4::integer, $5::integer, $6::integer) AS e
