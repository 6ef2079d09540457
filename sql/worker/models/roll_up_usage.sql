-- Moves old entries of the ledger into the sums of their days, in one statement: none is lost and none counted twice, whatever
-- ends meanwhile. $1 text: how old; $2 int: most entries. Returns how many.
-- Locks: the entries FOR UPDATE SKIP LOCKED; the days in the order of their key. Indexes: usage_entry_at, usage_day_key.
WITH old AS MATERIALIZED (
    SELECT e.id FROM zerodb.usage_entry AS e WHERE e.at < clock_timestamp() - $1::text::interval
    ORDER BY e.at LIMIT $2::integer FOR UPDATE SKIP LOCKED
), moved AS (
    DELETE FROM zerodb.usage_entry AS e USING old AS o WHERE e.id = o.id RETURNING e.*
), summed AS (
    INSERT INTO zerodb.usage_day AS d (day, user_id, project_id, handler, hook_id, provider, model, requests, inputs, prompt_tokens,
        completion_tokens, estimated_tokens)
    SELECT (m.at AT TIME ZONE 'UTC')::date AS day, m.user_id, m.project_id, m.handler, m.hook_id, m.provider, m.model, sum(m.requests), sum(m.inputs),
        sum(m.prompt_tokens), sum(m.completion_tokens), coalesce(sum(m.prompt_tokens + m.completion_tokens) FILTER (WHERE m.estimated), 0)
    FROM moved AS m
    GROUP BY (m.at AT TIME ZONE 'UTC')::date, m.user_id, m.project_id, m.handler, m.hook_id, m.provider, m.model
    ORDER BY day, m.user_id, m.project_id, m.hook_id, m.handler, m.provider, m.model
    ON CONFLICT (day, user_id, project_id, hook_id, handler, provider, model) DO UPDATE
    SET requests = d.requests + excluded.requests, inputs = d.inputs + excluded.inputs,
        prompt_tokens = d.prompt_tokens + excluded.prompt_tokens, completion_tokens = d.completion_tokens + excluded.completion_tokens,
        estimated_tokens = d.estimated_tokens + excluded.estimated_tokens
)
SELECT count(*) FROM moved
