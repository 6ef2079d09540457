-- Pauses an endpoint that refused a request for its rate, and tells it once. $1 text: endpoint; $2 bigint: ms; $3 text: what was
-- asked; $4 int: its limit of requests a minute, null where none is known.
-- Locks: the endpoint, for half a second at most. Index: endpoint_pkey.
SELECT zerodb._throttle_endpoint($1::text, $2::bigint, $3::text, $4::integer)
