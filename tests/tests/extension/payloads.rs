//! The payload fields of the built-in types, as the two documents list them, and what emit refuses.

use serde_json::{Value, json};
use zerodb_hooks_harness::{Result, on_every_server};

use crate::{ALICE, PROJECT};

/// Each type of the documents with its payload fields.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "zerodb.vector.stored",
        &["vector_id", "project_id", "namespace", "source", "user_id"],
    ),
    ("zerodb.vector.batch_stored", &["project_id", "count", "user_id"]),
    (
        "zerodb.memory.stored",
        &["memory_id", "project_id", "agent_id", "user_id"],
    ),
    (
        "zerodb.file.uploaded",
        &[
            "file_id",
            "project_id",
            "file_name",
            "content_type",
            "size_bytes",
            "user_id",
        ],
    ),
    (
        "zerodb.table.row_inserted",
        &["table_name", "row_id", "project_id", "user_id"],
    ),
    (
        "zerodb.event.published",
        &["event_id", "project_id", "topic", "user_id"],
    ),
    (
        "zeromemory.remembered",
        &["memory_id", "entity_id", "memory_type", "namespace", "user_id"],
    ),
    (
        "on_retain",
        &["bank_id", "memory_id", "content_length", "tags", "policy_actions"],
    ),
    (
        "on_recall",
        &["bank_id", "query", "result_count", "top_score", "latency_ms"],
    ),
    (
        "on_reflect",
        &[
            "bank_id",
            "query",
            "answer_length",
            "source_count",
            "fallback_used",
        ],
    ),
    ("on_forget", &["bank_id", "memory_ids", "reason", "compliance"]),
    ("on_pii_detected", &["bank_id", "pii_type", "action_taken"]),
    (
        "on_rate_limited",
        &["bank_id", "operation", "limit", "retry_after"],
    ),
    (
        "on_circuit_breaker_open",
        &["provider", "failure_count", "last_error"],
    ),
    ("on_circuit_breaker_close", &["provider", "recovery_duration"]),
    (
        "on_dedup_detected",
        &["bank_id", "similarity_score", "action_taken"],
    ),
    (
        "on_noisy_bank",
        &["bank_id", "signal", "threshold", "action_taken"],
    ),
    ("on_ttl_expiry", &["bank_id", "memory_count", "action"]),
    (
        "on_consolidation",
        &["bank_id", "observation_count", "source_fact_count"],
    ),
    ("on_bank_created", &["bank_id", "profile", "created_by"]),
    ("on_bank_deleted", &["bank_id", "memory_count", "deleted_by"]),
    ("on_legal_hold", &["bank_id", "hold_id", "action"]),
    ("on_import", &["bank_id", "memory_count", "source_provider"]),
    ("on_export", &["bank_id", "memory_count", "destination_path"]),
];

/// A value that each field may have, whatever the type.
fn sample(event_type: &str, field: &str) -> Value {
    match (event_type, field) {
        (_, "user_id") => json!(ALICE),
        (_, "project_id") => json!(PROJECT),
        (_, "tags" | "memory_ids" | "policy_actions") => json!(["a", "b"]),
        (_, "fallback_used") => json!(true),
        (
            _,
            "top_score" | "latency_ms" | "similarity_score" | "threshold" | "limit" | "recovery_duration",
        ) => json!(0.5),
        (
            _,
            "content_length" | "result_count" | "answer_length" | "source_count" | "failure_count"
            | "memory_count" | "observation_count" | "source_fact_count" | "count" | "size_bytes"
            | "retry_after",
        ) => json!(7),
        (_, "memory_type") => json!("episodic"),
        ("on_pii_detected", "action_taken") => json!("redact"),
        ("on_ttl_expiry", "action") => json!("archive"),
        ("on_legal_hold", "action") => json!("released"),
        _ => json!("text"),
    }
}

fn emit(event_type: &str, data: &Value) -> String {
    format!(
        "SELECT zerodb.emit('{event_type}', '{}')",
        data.to_string().replace('\'', "''")
    )
}

#[tokio::test]
async fn every_type_has_the_fields_of_its_document_and_takes_them() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for (event_type, fields) in FIELDS {
            let registered = session
                .texts(&format!(
                    "SELECT unnest(fields) FROM zerodb.event_types WHERE name = '{event_type}'"
                ))
                .await?;
            assert_eq!(&registered, fields, "{event_type}");
            let whole: Value = fields
                .iter()
                .map(|field| (field.to_string(), sample(event_type, field)))
                .collect();
            session.run(&emit(event_type, &whole)).await?;
            let kept = "SELECT data FROM zerodb.events ORDER BY id DESC LIMIT 1";
            let kept = session.rows(kept).await?;
            assert_eq!(kept.len(), 1);
            // A field that is not known may be null, and one of another kind is refused by name.
            for field in *fields {
                let mut wrong = whole.clone();
                wrong[field] = json!({"an": "object"});
                let error = session.error(&emit(event_type, &wrong)).await?;
                assert_eq!(error.code, "22023", "{event_type} {field}");
                let message = &error.message;
                assert!(message.contains(&format!("'{field}'")), "{event_type}: {message}");
                assert!(error.detail.is_some() && error.hint.is_some());
            }
        }
        assert_eq!(session.event_count().await?, i64::try_from(FIELDS.len())?);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_event_that_says_nothing_or_nonsense_is_refused_with_the_field() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for (event_type, data, named) in [
            ("on_retain", json!({}), "'memory_id'"),
            ("on_retain", json!({"memory_id": null}), "'memory_id'"),
            ("on_retain", json!({"memory_id": ""}), "'memory_id'"),
            ("on_ttl_expiry", json!({"action": "explode"}), "'action'"),
            ("on_ttl_expiry", json!({"memory_count": 3}), "'action'"),
            (
                "on_ttl_expiry",
                json!({"action": "archive", "memory_count": -1}),
                "'memory_count'",
            ),
            (
                "on_ttl_expiry",
                json!({"action": "archive", "memory_count": 1.5}),
                "'memory_count'",
            ),
            ("on_forget", json!({"memory_ids": "m1"}), "'memory_ids'"),
            ("on_forget", json!({"memory_ids": [["m1"]]}), "'memory_ids'"),
            ("on_pii_detected", json!({"pii_typ": "email"}), "'pii_typ'"),
            (
                "on_pii_detected",
                json!({"pii_type": "email", "action_taken": "shrug"}),
                "'action_taken'",
            ),
            ("on_bank_created", json!({}), "'bank_id'"),
            (
                "on_legal_hold",
                json!({"hold_id": "h", "action": "kept"}),
                "'action'",
            ),
            ("on_recall", json!({"query": 7}), "'query'"),
            (
                "zerodb.vector.stored",
                json!({"vector_id": "v", "user_id": "bob"}),
                "'user_id'",
            ),
            ("zerodb.vector.stored", json!({"namespace": "n"}), "'vector_id'"),
            (
                "on_hook_failure",
                json!({"hook_name": "x"}),
                "'on_hook_failure' cannot be emitted",
            ),
        ] {
            let error = session.error(&emit(event_type, &data)).await?;
            assert_eq!(error.code, "22023", "{event_type} {data}: {error:?}");
            assert!(
                error.message.contains(named),
                "{event_type} {data}: {}",
                error.message
            );
            assert!(error.hint.is_some());
        }
        let meant = session
            .error(&emit("on_pii_detected", &json!({"pii_typ": "email"})))
            .await?;
        assert_eq!(meant.hint.as_deref(), Some("Did you mean 'pii_type'?"));
        assert_eq!(session.event_count().await?, 0);
        Ok(())
    })
    .await
}

/// The bank may come beside the data.
#[tokio::test]
async fn what_is_not_known_is_left_out_and_a_users_own_type_takes_anything() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run(
                "SELECT zerodb.register_event_type('app.any', 'app', '{id}', 'x');
                SELECT zerodb.emit('app.any', '{\"other\": [1, {\"a\": 2}]}'), zerodb.emit('on_import', '{}'),
                    zerodb.emit('on_bank_created', '{\"profile\": null}', bank_id => 'b'),
                    zerodb.emit('on_noisy_bank', '{\"signal\": \"s\"}', bank_id => 'bank-7')",
            )
            .await?;
        assert_eq!(session.event_count().await?, 4);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_table_of_hooks_is_that_of_the_document() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let columns = "SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
                || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
            FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = 'zerodb.zerodb_hooks'::regclass AND a.attnum > 0 ORDER BY a.attnum";
        assert_eq!(
            session.texts(columns).await?,
            [
                "id uuid NOT NULL DEFAULT gen_random_uuid()",
                "user_id uuid NOT NULL",
                "project_id uuid",
                "event_type character varying(100) NOT NULL",
                "hook_type character varying(50) NOT NULL DEFAULT 'first_party'::character varying",
                "hook_name character varying(100) NOT NULL",
                "hook_config jsonb NOT NULL DEFAULT '{}'::jsonb",
                "is_active boolean NOT NULL DEFAULT true",
                "created_at timestamp with time zone NOT NULL DEFAULT now()",
                "updated_at timestamp with time zone NOT NULL DEFAULT now()",
            ]
        );
        let constraints = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'zerodb.zerodb_hooks'::regclass
            AND conname = 'uix_zerodb_hooks_user_event_name'";
        assert_eq!(
            session.text(constraints).await?,
            "UNIQUE NULLS NOT DISTINCT (user_id, project_id, event_type, hook_name)"
        );
        let indexes = "SELECT regexp_replace(indexdef, '^.* USING ', '') FROM pg_indexes
            WHERE schemaname = 'zerodb' AND indexname LIKE 'idx\\_zerodb\\_hooks%' ORDER BY indexname";
        assert_eq!(
            session.texts(indexes).await?,
            ["btree (is_active) WHERE (is_active = true)", "btree (event_type)", "btree (user_id)"]
        );
        Ok(())
    })
    .await
}
