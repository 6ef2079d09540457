-- API: public. The audit trail, newest first, page by page.

CREATE FUNCTION zerodb.list_audit(
    hook_id uuid DEFAULT NULL,
    before bigint DEFAULT NULL,
    max_rows integer DEFAULT 50,
    user_id uuid DEFAULT NULL
) RETURNS SETOF zerodb.audit
LANGUAGE c STABLE ROWS 50 AS 'MODULE_PATHNAME', 'zerodb_api_anywhere';
COMMENT ON FUNCTION zerodb.list_audit(uuid, bigint, integer, uuid) IS
    'The audit trail, newest first: of a hook, of a user, or of all. Go on with before => the id of the last row';

-- As the other lists: decided by `caller` alone. Reads what it returns: by audit_hook, audit_user or the primary key,
-- backwards.
CREATE FUNCTION zerodb._list_audit(caller oid, hook_id uuid, before bigint, max_rows integer, user_id uuid)
RETURNS SETOF zerodb.audit
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
#variable_conflict use_column
DECLARE
    hook ALIAS FOR hook_id;
    tenant uuid := zerodb._listed_tenant(caller, _list_audit.user_id);
    last bigint := coalesce(before, 9223372036854775807);
BEGIN
    PERFORM zerodb._check_page(max_rows, NULL, NULL);
    RETURN QUERY
    SELECT a.* FROM zerodb.audit AS a
    WHERE (hook IS NULL OR a.hook_id = hook) AND (tenant IS NULL OR a.user_id = tenant) AND a.id < last
    ORDER BY a.id DESC LIMIT max_rows;
END
$$;
