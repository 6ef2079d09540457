-- Opens the circuit of an endpoint for all workers, or keeps it open after a probe that failed, and tells its opening once.
-- $1 text: endpoint; $2 bigint: ms of the pause at least; $3 int: failures in a row; $4 text: the last error.
-- Locks: the endpoint, for half a second at most. Index: endpoint_pkey.
SELECT zerodb._open_circuit($1::text, $2::bigint, $3::integer, $4::text)
