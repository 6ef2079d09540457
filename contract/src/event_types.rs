//! The event types that are built in. Users register theirs with `zerodb.register_event_type`.

/// An event type.
#[derive(Debug, PartialEq, Eq)]
pub struct EventType {
    pub name: &'static str,
    /// What an envelope says of where it is from.
    pub channel: &'static str,
    /// The fields of its data, in their order.
    pub fields: &'static [&'static str],
    /// The type of which a statement that stores several rows emits one of these.
    pub batch_of: Option<&'static str>,
    pub description: &'static str,
}

const fn event_type(
    name: &'static str,
    channel: &'static str,
    fields: &'static [&'static str],
    description: &'static str,
) -> EventType {
    EventType {
        name,
        channel,
        fields,
        batch_of: None,
        description,
    }
}

pub const BUILT_IN: &[EventType] = &[
    event_type(
        "zerodb.vector.stored",
        "zerodb",
        &["vector_id", "project_id", "namespace", "source", "user_id"],
        "A single vector is upserted",
    ),
    EventType {
        batch_of: Some("zerodb.vector.stored"),
        ..event_type(
            "zerodb.vector.batch_stored",
            "zerodb",
            &["project_id", "count", "user_id"],
            "A batch of vectors completes",
        )
    },
    event_type(
        "zerodb.vector.deleted",
        "zerodb",
        &["vector_id", "project_id", "namespace", "user_id"],
        "A vector is deleted",
    ),
    event_type(
        "zerodb.memory.stored",
        "zerodb",
        &["memory_id", "project_id", "agent_id", "user_id"],
        "A memory record is stored",
    ),
    event_type(
        "zerodb.memory.deleted",
        "zerodb",
        &["memory_id", "project_id", "agent_id", "user_id"],
        "A memory record is deleted",
    ),
    event_type(
        "zerodb.file.uploaded",
        "zerodb",
        &[
            "file_id",
            "project_id",
            "file_name",
            "content_type",
            "size_bytes",
            "user_id",
        ],
        "A file is uploaded",
    ),
    event_type(
        "zerodb.table.row_inserted",
        "zerodb",
        &["table_name", "row_id", "project_id", "user_id"],
        "A row is inserted into a table",
    ),
    event_type(
        "zerodb.table.row_updated",
        "zerodb",
        &["table_name", "row_id", "project_id", "user_id"],
        "A row of a table is changed",
    ),
    event_type(
        "zerodb.table.row_deleted",
        "zerodb",
        &["table_name", "row_id", "project_id", "user_id"],
        "A row of a table is deleted",
    ),
    event_type(
        "zerodb.event.published",
        "zerodb",
        &["event_id", "project_id", "topic", "user_id"],
        "An event is published to the event stream",
    ),
    event_type(
        "zeromemory.remembered",
        "zeromemory",
        &["memory_id", "entity_id", "memory_type", "namespace", "user_id"],
        "A memory is stored with remember()",
    ),
    event_type(
        "zeromemory.forgotten",
        "zeromemory",
        &["memory_id", "entity_id", "memory_type", "namespace", "user_id"],
        "A memory of remember() is deleted",
    ),
    event_type(
        "on_retain",
        "astrocyte",
        &["bank_id", "memory_id", "content_length", "tags", "policy_actions"],
        "After a successful retain",
    ),
    event_type(
        "on_recall",
        "astrocyte",
        &["bank_id", "query", "result_count", "top_score", "latency_ms"],
        "After a successful recall",
    ),
    event_type(
        "on_reflect",
        "astrocyte",
        &[
            "bank_id",
            "query",
            "answer_length",
            "source_count",
            "fallback_used",
        ],
        "After a successful reflect",
    ),
    event_type(
        "on_forget",
        "astrocyte",
        &["bank_id", "memory_ids", "reason", "compliance"],
        "After memories are deleted",
    ),
    event_type(
        "on_pii_detected",
        "astrocyte",
        &["bank_id", "pii_type", "action_taken"],
        "When the PII barrier detects sensitive content",
    ),
    event_type(
        "on_rate_limited",
        "astrocyte",
        &["bank_id", "operation", "limit", "retry_after"],
        "When a request is rate-limited",
    ),
    event_type(
        "on_circuit_breaker_open",
        "astrocyte",
        &["provider", "failure_count", "last_error"],
        "When a provider's circuit breaker trips",
    ),
    event_type(
        "on_circuit_breaker_close",
        "astrocyte",
        &["provider", "recovery_duration"],
        "When a provider recovers",
    ),
    event_type(
        "on_dedup_detected",
        "astrocyte",
        &["bank_id", "similarity_score", "action_taken"],
        "When a duplicate is detected",
    ),
    event_type(
        "on_noisy_bank",
        "astrocyte",
        &["bank_id", "signal", "threshold", "action_taken"],
        "When analytics flags a noisy bank",
    ),
    event_type(
        "on_ttl_expiry",
        "astrocyte",
        &["bank_id", "memory_count", "action"],
        "When a TTL policy archives or deletes memories",
    ),
    event_type(
        "on_consolidation",
        "astrocyte",
        &["bank_id", "observation_count", "source_fact_count"],
        "When consolidation creates observations",
    ),
    event_type(
        "on_bank_created",
        "astrocyte",
        &["bank_id", "profile", "created_by"],
        "When a new bank is created",
    ),
    event_type(
        "on_bank_deleted",
        "astrocyte",
        &["bank_id", "memory_count", "deleted_by"],
        "When a bank is deleted",
    ),
    event_type(
        "on_legal_hold",
        "astrocyte",
        &["bank_id", "hold_id", "action"],
        "When a legal hold is set or released",
    ),
    event_type(
        "on_import",
        "astrocyte",
        &["bank_id", "memory_count", "source_provider"],
        "When memories are imported",
    ),
    event_type(
        "on_export",
        "astrocyte",
        &["bank_id", "memory_count", "destination_path"],
        "When memories are exported",
    ),
    event_type(
        "on_hook_failure",
        "astrocyte",
        &[
            "kind",
            "hook_id",
            "hook_name",
            "event",
            "event_id",
            "delivery_id",
            "attempts",
            "last_error",
        ],
        "When a hook is failing, is switched off or recovers, and when a delivery is given up; never for a delivery of this type itself",
    ),
];
