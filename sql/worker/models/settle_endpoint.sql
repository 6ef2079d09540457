-- Corrects the tokens of a request that was let in. $1 text: endpoint; $2 int: tokens per minute; $3 int: estimated; $4 int: used.
-- Locks: the endpoint FOR NO KEY UPDATE, waiting at most 500 ms. Index: endpoint_admission_pkey backwards.
SELECT zerodb._settle_endpoint($1::text, $2::integer, $3::integer, $4::integer)
