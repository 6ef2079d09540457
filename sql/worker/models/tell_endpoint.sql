-- Tells hooks what became of an endpoint, once for all workers. $1 text: endpoint; $2 text: on_circuit_breaker_open,
-- on_circuit_breaker_close or on_rate_limited; $3 jsonb: what is known of it.
-- Locks: the endpoint, for half a second at most. Index: endpoint_pkey.
SELECT zerodb._tell_endpoint($1::text, $2::text, $3::jsonb)
