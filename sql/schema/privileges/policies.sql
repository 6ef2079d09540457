-- Row-level security: what a tenant sees of the extension's tables.

ALTER TABLE zerodb.zerodb_hooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.delivery ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.attempt ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.order_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.order_signal ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.batch ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.completion ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.candidate ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.hook_fault ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.signing_secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.hook_health ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.backfill ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.backfill_failure ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.embedding ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.coverage ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.summary ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.summary_chunk ENABLE ROW LEVEL SECURITY;
ALTER TABLE zerodb.audit ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant ON zerodb.zerodb_hooks
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.outbox FOR SELECT
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.delivery
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.order_queue
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.order_signal
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.batch
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.completion
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.candidate
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.audit FOR SELECT
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.hook_fault FOR SELECT
USING ((SELECT zerodb._sees_all()) OR user_id = (SELECT zerodb._user_id()));
CREATE POLICY tenant ON zerodb.signing_secret FOR SELECT
USING ((SELECT zerodb._sees_all()) OR EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = hook_id));
CREATE POLICY tenant ON zerodb.hook_health
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
