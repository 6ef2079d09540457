-- Who may do what. Nothing is granted to PUBLIC and no role is created: three functions give least privilege.

-- What each grant may execute, by name: a function that is not in a list is nobody's but the extension owner's. A test
-- compares the lists with the catalog and with a table that is checked in.
--   user: the API; what its views and policies evaluate as the reader, which changes nothing; and what `watch`, `create_store`,
--     `remember`, `recall` and the graph do with the caller's own rights on its own tables.
--   worker: what its statements call.
--   admin: what it may do beyond a user.
CREATE FUNCTION zerodb._functions_of(grantee text) RETURNS name[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE grantee
    WHEN 'user' THEN ARRAY[
        -- The API.
        'create_hook', 'list_hooks', 'get_hook', 'update_hook', 'take_hook', 'delete_hook', 'rotate_secret', 'watch',
        'unwatch', 'emit', 'event_json', 'await_event', 'await_hooks', 'wait_idle', 'redeliver', 'discard', 'replay',
        'status', 'list_events', 'list_deliveries', 'list_attempts', 'list_audit', 'backfill', 'reembed', 'set_budget',
        'create_store', 'create_chunk_table', 'remember', 'recall', 'graph_neighbors',
        'merge_entities', 'unmerge_entity',
        -- The trigger: attaching a partition to a watched table creates one. It takes nothing on trust.
        '_capture',
        -- Who is calling, for policies and views.
        '_user_id', '_tenant', '_bound_tenants', '_current_role', '_every_user', '_sees_all', '_acting_user',
        -- Reads the clock, and loads the library: from then on the settings have their bounds.
        '_current_slot',
        -- Reading the log and the queue, as far as row-level security shows them.
        '_event_id', '_event_xid', '_event_xids', '_xid_end', '_event_ord', '_event_ords', '_event_key', '_rfc3339',
        '_running_hooks', '_no_event', '_no_hook', '_is_dispatched', '_event_progress', '_sync_progress',
        '_last_write', '_is_writing', '_is_idle', '_undispatched', '_patterns', '_spent', '_event_data',
        -- Looks at the caller's tables, and DDL on them.
        '_primary_key', '_has_column', '_no_column', '_field_source', '_id_field', '_watch_mapping',
        '_check_watchable', '_watch_trigger_name', '_create_watch_trigger', '_constant_user', '_heirs',
        '_fires_always', '_set_watch_triggers', '_note_watch_tenant', '_drop_watch_triggers', '_missed_writes',
        '_own_writes', '_listed',
        -- The watches that there are, and their constant users, for whom it asks who calls.
        'keep_watch_tenant', 'note_watches', '_mapping', '_is_mapping', '_are_strings', '_is_source', '_longest_mapping',
        '_store_dimensions', '_embedding_column', '_setting_default', '_check_store', '_create_store_table',
        '_create_store_functions', '_create_data_tables', '_create_memory_tables', '_watch_store', '_create_entities',
        '_create_relations', '_create_provenance', '_create_predicates', '_create_graph_tables', '_chunk_tables',
        '_fitting_chunks', '_has_vectors', '_is_vector_column', '_vector_dimensions', '_column_of', '_bad_embed',
        '_id_column', '_predicate_check', '_widen_predicates', '_tenant_key_column', '_tenant_reference',
        '_lock_store', '_trusts', '_table_coders', '_check_coders', '_check_store_place',
        -- Memories and the graph in the caller's store.
        '_store_table', '_check_memory', '_check_recall', '_has_direction', '_words_of', '_distance', '_query_vector',
        '_recall_space', '_recall', '_lexical_embedding', '_lexical_model', '_cosine_similarity', '_norm_name',
        '_check_search', '_graph_readable', '_graph_bounds', '_graph_level', '_graph_frontier', '_graph_neighbors',
        '_graph_pair', '_graph_count_mentions', '_graph_move_relations', '_graph_restore_relations',
        '_graph_drop_orphans', '_graph_settle_facts', '_graph_rules', '_graph_says', '_graph_rivals', '_graph_due',
        '_graph_scope', '_holds_memories', '_graph_place', '_graph_load', '_graph_names', '_graph_resolve',
        '_sorted_name', '_graph_near', '_graph_dimensions', '_graph_lock', '_graph_lock_entities', '_graph_create',
        '_graph_settle_entities', '_graph_mentioned', '_graph_mentions', '_graph_write_mentions', '_graph_promote',
        '_graph_replace', '_graph_join_relations', '_graph_add_sources', '_graph_write_relations',
        '_check_graph_coders', '_lock_graph', '_graph_give_sources', '_graph_rename_orphans', '_graph_twins',
        '_graph_move_names', '_graph_part_relation', '_graph_restore_names']
    WHEN 'worker' THEN ARRAY[
        'status', 'list_events', 'list_deliveries', 'list_attempts', 'list_audit', 'list_hooks', 'event_json', 'wait_idle',
        'await_event', '_all_tenants', '_user_id', '_tenant',
        '_bound_tenants', '_current_role', '_every_user', '_sees_all', '_functions_of',
        '_event_id', '_event_xid', '_event_xids', '_xid_end', '_event_ord', '_event_ords', '_event_key', '_rfc3339',
        '_running_hooks', '_no_event', '_is_dispatched', '_event_progress', '_is_idle', '_dispatch',
        '_undispatched', '_patterns', '_may_name', '_is_true', '_order_key', '_disable_hook', '_note_failing', '_has_recovered',
        '_tell_health', '_seal_secret',
        '_show_secret', '_current_slot', '_wake',
        '_emit_failure', '_call_hook_function', '_as_owner', '_is_spent', '_rotate_log', '_prune_deliveries',
        '_prune_cursor', '_prune_audit', '_note_settings', '_spent', '_bad_embed', '_column_of', '_has_column', '_has_vectors', '_fitting_chunks',
        '_chunk_tables', '_is_vector_column', '_primary_key', '_missed_writes', '_heirs', '_event_data', '_try_lock',
        '_lock', '_try_lock_session', '_lock_session', '_unlock_session', '_mapping', '_is_mapping', '_are_strings',
        '_is_source', '_longest_mapping', '_toll', '_tolls', '_last_admission', '_lock_endpoint', '_enter_endpoint',
        '_settle_endpoint', '_pause_of', '_open_circuit', '_close_circuit', '_throttle_endpoint',
        '_tell_endpoint', '_endpoint_label', '_record_usage', '_charge_usage', '_lock_budgets', '_budget_total',
        '_charge_budgets', '_weigh_requests', '_free_holds', '_check_budgets', '_tidy_budgets', '_unworkable']
    WHEN 'admin' THEN ARRAY['_all_tenants', 'register_event_type', 'resume_endpoint', 'bind_tenant', 'unbind_tenant']
    END::name[]
$$;

CREATE FUNCTION zerodb._grant_functions(role regrole, granted name[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    function regprocedure;
BEGIN
    FOR function IN
        SELECT p.oid::regprocedure FROM pg_proc AS p
            WHERE p.pronamespace = 'zerodb'::regnamespace AND p.proname = ANY (granted)
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', function, role);
    END LOOP;
END
$$;

CREATE FUNCTION zerodb.grant_user(role regrole) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA zerodb TO %s', role);
    EXECUTE format($q$
        GRANT SELECT ON
            zerodb.event_type, zerodb.event_types, zerodb.events, zerodb.deliveries, zerodb.attempts, zerodb.watches,
            zerodb._watch_trigger, zerodb.outbox, zerodb.delivery, zerodb.attempt, zerodb.instance, zerodb.cursor,
            zerodb.lease, zerodb.batch, zerodb.completion, zerodb.candidate, zerodb.hook_fault, zerodb.order_queue,
            zerodb.order_signal, zerodb.tenant_binding, zerodb._any_delivery, zerodb._waiting_delivery,
            zerodb._running_delivery, zerodb._completed_delivery
        TO %s
        $q$, role);
    EXECUTE format($q$
        GRANT SELECT ON
            zerodb.zerodb_hooks, zerodb.backfill, zerodb.backfill_failure, zerodb.backfills, zerodb.embedding,
            zerodb.coverage, zerodb.hook_health, zerodb.hook_status, zerodb.audit
        TO %s
        $q$, role);
    EXECUTE format($q$
        GRANT SELECT ON
            zerodb.endpoint, zerodb.endpoints, zerodb.usage_entry, zerodb.usage_day, zerodb.usage, zerodb.budget,
            zerodb.budget_hold, zerodb.budgets
        TO %s
        $q$, role);
    EXECUTE format('GRANT SELECT ON zerodb.signing_secrets TO %s', role);
    -- Not what is sealed.
    EXECUTE format('GRANT SELECT (hook_id, number, made_at, valid_until, shown_at) ON zerodb.signing_secret TO %s', role);
    PERFORM zerodb._grant_functions(role, zerodb._functions_of('user'));
    PERFORM zerodb._audit('rights.granted', zerodb._every_user(), NULL, role::text, NULL, '{"rights": "user"}');
END
$$;
COMMENT ON FUNCTION zerodb.grant_user(regrole) IS
    'Lets a role manage its tenant''s hooks, emit events and watch its tables';

CREATE FUNCTION zerodb.grant_worker(role regrole) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA zerodb TO %s', role);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA zerodb TO %s', role);
    EXECUTE format($q$
        GRANT INSERT, UPDATE, DELETE ON
            zerodb.delivery, zerodb.batch, zerodb.completion, zerodb.candidate, zerodb.lease, zerodb.endpoint,
            zerodb.endpoint_admission, zerodb.usage_entry, zerodb.usage_day, zerodb.budget_hold, zerodb.budget_total,
            zerodb.cursor, zerodb.attempt, zerodb.order_queue, zerodb.order_signal, zerodb.backfill,
            zerodb.backfill_failure, zerodb.coverage, zerodb.embedding, zerodb.summary, zerodb.summary_chunk,
            zerodb.hook_health
        TO %s
        $q$, role);
    EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA zerodb TO %s', role);
    PERFORM zerodb._grant_functions(role, zerodb._functions_of('worker'));
    PERFORM zerodb._audit('rights.granted', zerodb._every_user(), NULL, role::text, NULL, '{"rights": "worker"}');
END
$$;
COMMENT ON FUNCTION zerodb.grant_worker(regrole) IS
    'Lets a role run the worker: read the log of every tenant and keep deliveries';

CREATE FUNCTION zerodb.grant_admin(role regrole) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM zerodb.grant_user(role);
    EXECUTE format('GRANT SELECT ON zerodb.hook_detail TO %s', role);
    PERFORM zerodb._grant_functions(role, zerodb._functions_of('admin'));
    PERFORM zerodb._audit('rights.granted', zerodb._every_user(), NULL, role::text, NULL, '{"rights": "admin"}');
END
$$;
COMMENT ON FUNCTION zerodb.grant_admin(regrole) IS
    'Lets a role act for every user, bind roles to users and register event types';

REVOKE ALL ON ALL TABLES IN SCHEMA zerodb FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA zerodb FROM PUBLIC;
