-- Closes the circuit of an endpoint, if it is open, and tells it once. $1 text: endpoint.
-- Locks: the endpoint, for half a second at most, where it is open. Index: endpoint_pkey.
SELECT zerodb._close_circuit($1::text)
