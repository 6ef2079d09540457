-- What fits a query best. $1 text: query; $2 integer: rows; $3 text: source; $4 text: entity or null; $5 text: namespace or null;
-- $6 real[]: the query's vector, or null for that of the local provider; $7 text: schema of the store. Locks: none.
SELECT r.id, r.content, r.score, r.similarity, r.found_by
FROM zerodb.recall(query => $1::text, "limit" => $2::integer, source => $3::text, entity_id => $4::text, namespace => $5::text,
    query_embedding => $6::real[], schema => $7::text::name) AS r
