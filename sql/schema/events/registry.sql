-- The registry of event types: which names exist, in which channel, with which fields.

CREATE TABLE zerodb.event_type (
    name varchar(100) PRIMARY KEY,
    channel text NOT NULL,
    fields text[] NOT NULL DEFAULT '{}',
    batch_of varchar(100),
    description text NOT NULL DEFAULT '',
    builtin boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE zerodb.event_type IS 'Registered event types; users add theirs with zerodb.register_event_type';
COMMENT ON COLUMN zerodb.event_type.batch_of IS
    'The type of which a statement that stores several rows emits one of these per (user, project)';
SELECT pg_catalog.pg_extension_config_dump('zerodb.event_type', 'WHERE NOT builtin');

INSERT INTO zerodb.event_type (name, channel, fields, batch_of, description, builtin) VALUES
('zerodb.vector.stored', 'zerodb', '{vector_id,project_id,namespace,source,user_id}', NULL, 'A single vector is upserted', true),
('zerodb.vector.batch_stored', 'zerodb', '{project_id,count,user_id}', 'zerodb.vector.stored', 'A batch of vectors completes', true),
('zerodb.vector.deleted', 'zerodb', '{vector_id,project_id,namespace,user_id}', NULL, 'A vector is deleted', true),
('zerodb.memory.stored', 'zerodb', '{memory_id,project_id,agent_id,user_id}', NULL, 'A memory record is stored', true),
('zerodb.memory.deleted', 'zerodb', '{memory_id,project_id,agent_id,user_id}', NULL, 'A memory record is deleted', true),
('zerodb.file.uploaded', 'zerodb', '{file_id,project_id,file_name,content_type,size_bytes,user_id}', NULL, 'A file is uploaded', true),
('zerodb.table.row_inserted', 'zerodb', '{table_name,row_id,project_id,user_id}', NULL, 'A row is inserted into a table', true),
('zerodb.table.row_updated', 'zerodb', '{table_name,row_id,project_id,user_id}', NULL, 'A row of a table is changed', true),
('zerodb.table.row_deleted', 'zerodb', '{table_name,row_id,project_id,user_id}', NULL, 'A row of a table is deleted', true),
('zerodb.event.published', 'zerodb', '{event_id,project_id,topic,user_id}', NULL, 'An event is published to the event stream', true),
('zeromemory.remembered', 'zeromemory', '{memory_id,entity_id,memory_type,namespace,user_id}', NULL,
    'A memory is stored with remember()', true),
('zeromemory.forgotten', 'zeromemory', '{memory_id,entity_id,memory_type,namespace,user_id}', NULL,
    'A memory of remember() is deleted', true),
('on_retain', 'astrocyte', '{bank_id,memory_id,content_length,tags,policy_actions}', NULL, 'After a successful retain', true),
('on_recall', 'astrocyte', '{bank_id,query,result_count,top_score,latency_ms}', NULL, 'After a successful recall', true),
('on_reflect', 'astrocyte', '{bank_id,query,answer_length,source_count,fallback_used}', NULL, 'After a successful reflect', true),
('on_forget', 'astrocyte', '{bank_id,memory_ids,reason,compliance}', NULL, 'After memories are deleted', true),
('on_pii_detected', 'astrocyte', '{bank_id,pii_type,action_taken}', NULL, 'When the PII barrier detects sensitive content', true),
('on_rate_limited', 'astrocyte', '{bank_id,operation,limit,retry_after}', NULL, 'When a request is rate-limited', true),
('on_circuit_breaker_open', 'astrocyte', '{provider,failure_count,last_error}', NULL, 'When a provider''s circuit breaker trips', true),
('on_circuit_breaker_close', 'astrocyte', '{provider,recovery_duration}', NULL, 'When a provider recovers', true),
('on_dedup_detected', 'astrocyte', '{bank_id,similarity_score,action_taken}', NULL, 'When a duplicate is detected', true),
('on_noisy_bank', 'astrocyte', '{bank_id,signal,threshold,action_taken}', NULL, 'When analytics flags a noisy bank', true),
('on_ttl_expiry', 'astrocyte', '{bank_id,memory_count,action}', NULL, 'When a TTL policy archives or deletes memories', true),
('on_consolidation', 'astrocyte', '{bank_id,observation_count,source_fact_count}', NULL, 'When consolidation creates observations', true),
('on_bank_created', 'astrocyte', '{bank_id,profile,created_by}', NULL, 'When a new bank is created', true),
('on_bank_deleted', 'astrocyte', '{bank_id,memory_count,deleted_by}', NULL, 'When a bank is deleted', true),
('on_legal_hold', 'astrocyte', '{bank_id,hold_id,action}', NULL, 'When a legal hold is set or released', true),
('on_import', 'astrocyte', '{bank_id,memory_count,source_provider}', NULL, 'When memories are imported', true),
('on_export', 'astrocyte', '{bank_id,memory_count,destination_path}', NULL, 'When memories are exported', true),
('on_hook_failure', 'astrocyte', '{kind,hook_id,hook_name,event,event_id,delivery_id,attempts,last_error}', NULL,
    'When a hook is failing, is switched off or recovers, and when a delivery is given up; never for a delivery of this type itself', true);

CREATE VIEW zerodb.event_types WITH (security_invoker = true) AS
SELECT t.name, t.channel, t.fields, t.description FROM zerodb.event_type AS t;
COMMENT ON VIEW zerodb.event_types IS 'Every registered event type';

CREATE FUNCTION zerodb.register_event_type(name text, channel text, fields text[], description text) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'zerodb_api';
COMMENT ON FUNCTION zerodb.register_event_type(text, text, text[], text) IS
    'Registers an event type, or changes one that a user registered';

CREATE FUNCTION zerodb._register_event_type(caller oid, name text, channel text, fields text[], description text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    before jsonb := (SELECT to_jsonb(t) - '{name,batch_of,builtin}'::text[] FROM zerodb.event_type AS t
        WHERE t.name = _register_event_type.name);
    after jsonb;
BEGIN
    IF name IS NULL OR name !~ '^[a-z][a-z0-9_]*([.][a-z][a-z0-9_]*)*$' OR length(name) > 100 THEN
        RAISE EXCEPTION 'invalid event type name %', coalesce(quote_literal(name), 'NULL')
            USING ERRCODE = '22023',
                  DETAIL = 'A name is lower-case words of letters, digits and _, joined by dots, of at most 100 characters.',
                  HINT = 'Choose a name such as ''order.created''.';
    END IF;
    IF EXISTS (SELECT FROM zerodb.event_type AS t WHERE t.name = _register_event_type.name AND t.builtin) THEN
        RAISE EXCEPTION 'event type % is built in', quote_literal(name)
            USING ERRCODE = '22023', HINT = 'Register a type of another name.';
    END IF;
    IF name ~ '^(zerodb|zeromemory)[.]|^on_' THEN
        RAISE EXCEPTION 'event type name % uses a reserved prefix', quote_literal(name)
            USING ERRCODE = '22023',
                  DETAIL = 'zerodb., zeromemory. and on_ belong to the built-in types.',
                  HINT = 'Choose a prefix of your own, such as ''order.''.';
    END IF;
    IF channel IS NULL OR channel !~ '^[a-z][a-z0-9_]*$' THEN
        RAISE EXCEPTION 'invalid channel %', coalesce(quote_literal(channel), 'NULL')
            USING ERRCODE = '22023', HINT = 'A channel is one lower-case word, such as ''app''.';
    END IF;
    INSERT INTO zerodb.event_type AS t (name, channel, fields, description)
    VALUES (name, channel, coalesce(fields, '{}'), coalesce(description, ''))
    ON CONFLICT ON CONSTRAINT event_type_pkey DO UPDATE
    SET channel = excluded.channel, fields = excluded.fields, description = excluded.description
    RETURNING to_jsonb(t) - '{name,batch_of,builtin}'::text[] INTO after;
    IF before IS DISTINCT FROM after THEN
        PERFORM zerodb._audit('event_type.registered', zerodb._every_user(), NULL, name, before, after);
    END IF;
END
$$;
