-- Who may do what. Nothing is granted to PUBLIC and no role is created: three functions give least privilege.

ALTER TABLE zerodb.zerodb_hooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.delivery ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.attempt ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.order_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.order_signal ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.batch ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.completion ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.backfill ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.backfill_failure ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.embedding ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.coverage ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.summary ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.summary_chunk ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant ON zerodb.zerodb_hooks
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.outbox FOR SELECT
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.delivery
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
-- A replay may only pair one's own hook with one's own event: both sub-selects see only what the caller sees.
CREATE POLICY own_event ON zerodb.delivery AS RESTRICTIVE FOR INSERT
WITH CHECK ((SELECT zerodb._sees_all()) OR (
    EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = hook_id AND h.user_id = delivery.user_id)
    AND EXISTS (SELECT FROM zerodb.outbox AS o WHERE o.slot = event_slot AND o.xid = event_xid AND o.ord = event_ord)));
CREATE POLICY tenant ON zerodb.order_queue
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.order_signal
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.batch
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.completion
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.backfill
USING ((SELECT zerodb._sees_all()) OR EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = hook_id));
CREATE POLICY tenant ON zerodb.backfill_failure
USING ((SELECT zerodb._sees_all()) OR EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = hook_id));
CREATE POLICY tenant ON zerodb.coverage
USING ((SELECT zerodb._sees_all()) OR EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = hook_id));
CREATE POLICY tenant ON zerodb.embedding
USING ((SELECT zerodb._sees_all()) OR EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = hook_id));
CREATE POLICY tenant ON zerodb.summary
USING ((SELECT zerodb._sees_all()) OR EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = hook_id));
CREATE POLICY tenant ON zerodb.summary_chunk
USING ((SELECT zerodb._sees_all()) OR EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = hook_id));
CREATE POLICY tenant ON zerodb.attempt
USING ((SELECT zerodb._sees_all()) OR EXISTS (SELECT FROM zerodb.delivery AS d WHERE d.id = delivery_id));

-- EXECUTE on every function but the ones named. Trigger functions stay out: whoever may execute one may attach it to
-- a table of his own, and some run as the extension's owner.
CREATE FUNCTION zerodb._grant_functions(role regrole, withheld name[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    granted regprocedure;
BEGIN
    FOR granted IN
        SELECT p.oid::regprocedure FROM pg_proc AS p
        WHERE p.pronamespace = 'zerodb'::regnamespace AND p.proname <> ALL (withheld)
            AND (p.prorettype <> 'trigger'::regtype OR p.proname = '_capture')
            AND p.proname NOT IN ('grant_user', 'grant_worker', 'grant_admin', '_grant_functions')
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', granted, role);
    END LOOP;
END
$$;

CREATE FUNCTION zerodb.grant_user(role regrole) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA zerodb TO %s', role);
    EXECUTE format('GRANT SELECT ON zerodb.event_type, zerodb.event_types, zerodb.events, zerodb.deliveries, zerodb.attempts, '
        'zerodb.watches, zerodb._watch_trigger, zerodb.outbox, zerodb.delivery, zerodb.attempt, zerodb.instance, zerodb.cursor, '
        'zerodb.lease, zerodb.batch, zerodb.completion, zerodb.order_queue, zerodb.order_signal, '
        'zerodb._waiting_delivery, zerodb._running_delivery, zerodb._completed_delivery TO %s', role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON zerodb.zerodb_hooks, zerodb.backfill, zerodb.backfill_failure TO %s', role);
    EXECUTE format('GRANT SELECT ON zerodb.backfills, zerodb.embedding, zerodb.coverage, zerodb.hook_status TO %s', role);
    EXECUTE format('GRANT SELECT ON zerodb.endpoint, zerodb.endpoints, zerodb.usage_entry, zerodb.usage_day, zerodb.usage, '
        'zerodb.budget_hold, zerodb.budgets TO %s', role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON zerodb.budget TO %s', role);
    EXECUTE format('GRANT INSERT (event_xid, event_ord, event_slot, hook_id, user_id, due_at, order_key) ON zerodb.delivery TO %s', role);
    EXECUTE format('GRANT UPDATE (state, due_at, attempts, losses, finished_at, last_error) ON zerodb.delivery TO %s', role);
    PERFORM zerodb._grant_functions(role,
        '{_all_tenants,register_event_type,_call_hook_function,_as_owner,_rotate_log,_is_spent,_prune_deliveries,_prune_cursor,'
        '_lock_endpoint,_enter_endpoint,_settle_endpoint,resume_endpoint,_record_usage,_charge_usage,'
        '_lock_budgets,_budget_total,_charge_budgets,_weigh_requests,_free_holds,_check_budgets,_tidy_budgets}');
END
$$;
COMMENT ON FUNCTION zerodb.grant_user(regrole) IS 'Lets a role manage its tenant''s hooks, emit events and watch its tables';

CREATE FUNCTION zerodb.grant_worker(role regrole) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA zerodb TO %s', role);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA zerodb TO %s', role);
    EXECUTE format('GRANT INSERT, UPDATE, DELETE ON zerodb.delivery, zerodb.batch, zerodb.completion, zerodb.lease, '
        'zerodb.endpoint, zerodb.endpoint_admission, zerodb.usage_entry, zerodb.usage_day, zerodb.budget_hold, zerodb.budget_total, '
        'zerodb.cursor, zerodb.attempt, zerodb.order_queue, zerodb.order_signal, zerodb.backfill, zerodb.backfill_failure, '
        'zerodb.coverage, zerodb.embedding, zerodb.summary, zerodb.summary_chunk TO %s', role);
    EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA zerodb TO %s', role);
    PERFORM zerodb._grant_functions(role, '{register_event_type}');
END
$$;
COMMENT ON FUNCTION zerodb.grant_worker(regrole) IS 'Lets a role run the worker: read the log of every tenant, keep deliveries, nothing else';

CREATE FUNCTION zerodb.grant_admin(role regrole) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM zerodb.grant_user(role);
    EXECUTE format('GRANT INSERT, UPDATE ON zerodb.event_type TO %s', role);
    EXECUTE format('GRANT UPDATE ON zerodb.endpoint TO %s', role);
    EXECUTE format('GRANT SELECT ON zerodb.hook_detail TO %s', role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION zerodb._all_tenants(), zerodb.resume_endpoint(text), '
        'zerodb.register_event_type(text, text, text[], text) TO %s', role);
END
$$;
COMMENT ON FUNCTION zerodb.grant_admin(regrole) IS 'Lets a role act for every user and register event types';

REVOKE ALL ON ALL TABLES IN SCHEMA zerodb FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA zerodb FROM PUBLIC;
