-- What a query must be embedded as. $1 text: source; $2 text: schema of the store; $3 text: model, as it is stored beside vectors.
-- Locks: none. Reads the source until it meets a vector of the model.
SELECT s.dimensions, s.has_model, s.other_model FROM zerodb._recall_space($1::text, $2::text::name, $3::text) AS s
