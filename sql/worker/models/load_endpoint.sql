-- What an endpoint has taught of a model, as a JSON object. $1 text: endpoint; $2 text: model. No row where nothing is known.
-- Locks: none. Index: endpoint_pkey.
SELECT e.learned -> $2::text AS learned FROM zerodb.endpoint AS e WHERE e.name = $1::text AND e.learned ? $2::text
