-- Records the usage of models. $1 uuid[]: id; $2 uuid[]: user; $3 uuid[]: project; $4 text[]: handler; $5 uuid[]: hook;
-- $6 text[]: provider; $7 text[]: model; $8 int[]: requests; $9 int[]: inputs; $10 bigint[]: prompt tokens; $11 bigint[]:
-- completion tokens; $12 boolean[]: estimated. Frees what was held for the same ids; an entry of nothing does only that. Writing
-- an entry a second time has no effect.
-- Locks: none that is waited for. Indexes: usage_entry_pkey, budget_hold_pkey.
WITH entry AS (
    SELECT e.* FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::integer[], $9::integer[],
        $10::bigint[], $11::bigint[], $12::boolean[])
        AS e (id, user_id, project_id, handler, hook_id, provider, model, requests, inputs, prompt_tokens, completion_tokens, estimated)
), freed AS (
    DELETE FROM zerodb.budget_hold AS h WHERE h.id = ANY ($1::uuid[])
)
INSERT INTO zerodb.usage_entry (id, user_id, project_id, handler, hook_id, provider, model, requests, inputs, prompt_tokens,
    completion_tokens, estimated)
SELECT e.id, e.user_id, e.project_id, e.handler, e.hook_id, e.provider, e.model, e.requests, e.inputs, e.prompt_tokens,
    e.completion_tokens, e.estimated
FROM entry AS e WHERE e.requests > 0 OR e.prompt_tokens + e.completion_tokens > 0
ON CONFLICT (id) DO NOTHING
