-- API: public. Setting a budget.

-- API: public.
CREATE FUNCTION zerodb.set_budget(
    tokens_per_day bigint DEFAULT NULL,
    requests_per_minute integer DEFAULT NULL,
    user_id uuid DEFAULT NULL,
    project_id uuid DEFAULT NULL,
    handler text DEFAULT NULL
) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.set_budget(bigint, integer, uuid, uuid, text) IS
    'Limits what models may be used for a user (or all together), a project, a handler; NULL for both limits removes it; what exceeds it waits';

CREATE FUNCTION zerodb._set_budget(
    caller oid,
    tokens_per_day bigint,
    requests_per_minute integer,
    user_id uuid,
    project_id uuid,
    handler text
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    acting uuid := zerodb._acting_user(caller, user_id);
    by_admin boolean := zerodb._sees_all(caller);
    before jsonb;
    after jsonb;
BEGIN
    IF tokens_per_day < 0 OR requests_per_minute < 0 THEN
        RAISE EXCEPTION 'a budget cannot be negative'
            USING ERRCODE = '22023', HINT = 'Give 0 to allow nothing, or NULL for both to remove the budget.';
    END IF;
    IF handler !~ '[^[:space:]]' THEN
        RAISE EXCEPTION 'the handler of a budget is empty'
            USING ERRCODE = '22023', HINT = 'Name a handler such as ''auto_embed'', or NULL for all of them.';
    END IF;
    SELECT zerodb._audited_budget(b) INTO before FROM zerodb.budget AS b
    WHERE b.user_id = acting AND b.project_id IS NOT DISTINCT FROM _set_budget.project_id
        AND b.handler IS NOT DISTINCT FROM _set_budget.handler AND b.imposed = by_admin FOR UPDATE;
    IF tokens_per_day IS NULL AND requests_per_minute IS NULL THEN
        DELETE FROM zerodb.budget AS b
        WHERE b.user_id = acting AND b.project_id IS NOT DISTINCT FROM _set_budget.project_id
            AND b.handler IS NOT DISTINCT FROM _set_budget.handler AND b.imposed = by_admin;
        IF FOUND THEN
            PERFORM zerodb._audit('budget.removed', acting, NULL, coalesce(handler, '*'), before, NULL);
        END IF;
        RETURN;
    END IF;
    INSERT INTO zerodb.budget AS b (user_id, project_id, handler, imposed, tokens_per_day, requests_per_minute)
    VALUES (acting, _set_budget.project_id, _set_budget.handler, by_admin, _set_budget.tokens_per_day,
        _set_budget.requests_per_minute)
    ON CONFLICT ON CONSTRAINT budget_key DO UPDATE
    SET tokens_per_day = excluded.tokens_per_day, requests_per_minute = excluded.requests_per_minute,
        set_at = excluded.set_at
    RETURNING zerodb._audited_budget(b) INTO after;
    PERFORM zerodb._audit('budget.set', acting, NULL, coalesce(handler, '*'), before, after);
END
$$;

CREATE FUNCTION zerodb._audited_budget(budget zerodb.budget) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT to_jsonb(budget) - '{id,user_id,handler,set_at}'::text[] $$;
