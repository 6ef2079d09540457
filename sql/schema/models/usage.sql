-- The ledger: what models were asked to do, and for whom. Written by the worker, summed by day.

-- Insert-only: requests of the last minutes, one row for what was answered together. They leave for usage_day.
CREATE TABLE zerodb.usage_entry (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    user_id uuid NOT NULL,
    project_id uuid,
    hook_id uuid,
    prompt_tokens bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    requests integer NOT NULL,
    inputs integer NOT NULL,
    estimated boolean NOT NULL,
    handler text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
COMMENT ON TABLE zerodb.usage_entry IS 'Usage of models in the last minutes; older usage is in zerodb.usage_day';
COMMENT ON COLUMN zerodb.usage_entry.id IS 'Chosen by the worker, so that what is written twice counts once';
COMMENT ON COLUMN zerodb.usage_entry.user_id IS 'Of the event; the nil UUID where it has none';
COMMENT ON COLUMN zerodb.usage_entry.estimated IS 'The provider named no tokens';
CREATE INDEX usage_entry_at ON zerodb.usage_entry (at);
SELECT pg_catalog.pg_extension_config_dump('zerodb.usage_entry', '');

CREATE TABLE zerodb.usage_day (
    day date NOT NULL,
    user_id uuid NOT NULL,
    project_id uuid,
    hook_id uuid,
    prompt_tokens bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    estimated_tokens bigint NOT NULL,
    requests bigint NOT NULL,
    inputs bigint NOT NULL,
    handler text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    CONSTRAINT usage_day_key UNIQUE NULLS NOT DISTINCT (day, user_id, project_id, hook_id, handler, provider, model)
) WITH (fillfactor = 70);
-- A project may be null, so there is no primary key. A publication for all tables refuses to update what has no
-- identity.
ALTER TABLE zerodb.usage_day REPLICA IDENTITY FULL;
COMMENT ON TABLE zerodb.usage_day IS 'Usage of models by day (UTC), without that of the last minutes';
-- For what one hook costs (zerodb.hook_status): the key begins with the day.
CREATE INDEX usage_day_hook ON zerodb.usage_day (hook_id, day) WHERE hook_id IS NOT NULL;
COMMENT ON COLUMN zerodb.usage_day.estimated_tokens IS 'How many of the tokens were estimated';
SELECT pg_catalog.pg_extension_config_dump('zerodb.usage_day', '');

-- The sums end where bigint does: one user's figures must not make the view fail for all.
CREATE VIEW zerodb.usage WITH (security_invoker = true) AS
SELECT
    u.day, u.user_id, u.project_id, u.handler, u.hook_id, u.provider, u.model,
    least(sum(u.requests), 9223372036854775807)::bigint AS requests,
    least(sum(u.inputs), 9223372036854775807)::bigint AS inputs,
    least(sum(u.prompt_tokens), 9223372036854775807)::bigint AS prompt_tokens,
    least(sum(u.completion_tokens), 9223372036854775807)::bigint AS completion_tokens,
    round(coalesce(sum(u.estimated_tokens) / nullif(sum(u.prompt_tokens::numeric + u.completion_tokens), 0), 0),
        4) AS estimated_share
FROM (
    SELECT d.day, d.user_id, d.project_id, d.handler, d.hook_id, d.provider, d.model, d.requests, d.inputs,
        d.prompt_tokens,
        d.completion_tokens, d.estimated_tokens
    FROM zerodb.usage_day AS d
    UNION ALL
    SELECT (e.at AT TIME ZONE 'UTC')::date, e.user_id, e.project_id, e.handler, e.hook_id, e.provider, e.model,
        e.requests, e.inputs,
        e.prompt_tokens, e.completion_tokens, CASE WHEN e.estimated THEN e.prompt_tokens::numeric + e.completion_tokens
            ELSE 0 END
    FROM zerodb.usage_entry AS e
) AS u
GROUP BY u.day, u.user_id, u.project_id, u.handler, u.hook_id, u.provider, u.model;
COMMENT ON VIEW zerodb.usage IS 'Requests and tokens by day (UTC), user, project, handler, hook, provider and model';

-- Writes entries, many at once, and charges the budgets for them; writing an entry a second time has no effect. An
-- entry of nothing only frees what was held for it.
CREATE FUNCTION zerodb._record_usage(
    ids uuid[],
    users uuid[],
    projects uuid[],
    handlers text[],
    hooks uuid[],
    providers text[],
    models text[],
    requests integer[],
    inputs integer[],
    prompt_tokens bigint[],
    completion_tokens bigint[],
    estimated boolean[]
) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    written bigint;
BEGIN
    PERFORM zerodb._charge_usage(ids, users, projects, handlers,
        ARRAY(SELECT t.prompt + t.completion FROM unnest(prompt_tokens, completion_tokens)
            WITH ORDINALITY AS t (prompt, completion, n) ORDER BY t.n),
        requests);
    INSERT INTO zerodb.usage_entry (id, user_id, project_id, handler, hook_id, provider, model, requests, inputs,
        prompt_tokens,
        completion_tokens, estimated)
    SELECT e.* FROM unnest(ids, users, projects, handlers, hooks, providers, models, requests, inputs, prompt_tokens,
        completion_tokens, estimated)
        AS e (id, user_id, project_id, handler, hook_id, provider, model, requests, inputs, prompt, completion,
            estimated)
    WHERE e.requests > 0 OR e.prompt > 0 OR e.completion > 0
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS written = ROW_COUNT;
    RETURN written;
END
$$;

ALTER TABLE zerodb.usage_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.usage_day ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON zerodb.usage_entry
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.usage_day
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
