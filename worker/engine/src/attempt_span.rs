//! The span of an attempt: where in which trace it belongs, and what it says. Decides nothing about the attempt.

use std::sync::Arc;

use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::event::EventId;
use zerodb_hooks_delivery::outcome::{Done, HandlerError};
use zerodb_hooks_spans::{Description, Following, SpanContext, Tracer, Value};

/// The bytes of a hook's name or an event's type that a span has.
const LONGEST: usize = 100;

/// Runs an attempt, followed where there is a tracer.
pub async fn of_single(
    tracer: Option<&Tracer>,
    delivery: &Delivery,
    run: impl Future<Output = Result<Done, HandlerError>>,
) -> Result<Done, HandlerError> {
    let Some(tracer) = tracer else {
        return run.await;
    };
    let following = follow(tracer, delivery);
    let recording = Arc::clone(&following.recording);
    let result = recording.scope(run).await;
    tracer.end(following, failure(&result), || describe(delivery));
    result
}

/// Runs a pack; what it does together is part of its first attempt.
pub async fn of_pack(
    tracer: Option<&Tracer>,
    deliveries: &[Arc<Delivery>],
    run: impl Future<Output = Vec<Result<Done, HandlerError>>>,
) -> Vec<Result<Done, HandlerError>> {
    let Some(tracer) = tracer else {
        return run.await;
    };
    let following: Vec<_> = deliveries
        .iter()
        .map(|delivery| follow(tracer, delivery))
        .collect();
    let Some(first) = following.first() else {
        return run.await;
    };
    let recording = Arc::clone(&first.recording);
    let results = recording.scope(run).await;
    for ((following, delivery), result) in following.into_iter().zip(deliveries).zip(&results) {
        tracer.end(following, failure(result), || describe(delivery));
    }
    results
}

/// An event that was written in no trace has one of its own, by its id: each worker knows it.
fn follow(tracer: &Tracer, delivery: &Delivery) -> Following {
    let parent = delivery.event.traceparent.as_deref().and_then(SpanContext::parse);
    let EventId { salt, xid, ord } = delivery.event.id;
    let own_trace = u128::from(salt) << 96 | u128::from(xid) << 32 | u128::from(ord.cast_unsigned());
    tracer.follow(parent, own_trace)
}

/// What failed: the status of an answer, or the class before the colon of a message. The rest of a message may hold
/// what a database or a template says of a row. What is deferred has not failed.
fn failure(result: &Result<Done, HandlerError>) -> Option<String> {
    let (message, status) = match result {
        Ok(_) | Err(HandlerError::Deferred { .. }) => return None,
        Err(
            HandlerError::Transient { message, status, .. } | HandlerError::Permanent { message, status },
        ) => (message, status),
    };
    let is_word =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let class = message
        .split_once(':')
        .map(|(class, _)| class)
        .filter(|class| is_word(class));
    Some(match status {
        Some(status) => format!("status {status}"),
        None => class.unwrap_or("failed").to_owned(),
    })
}

fn describe(delivery: &Delivery) -> Description {
    let (hook, event) = (&delivery.hook, &delivery.event);
    let name = shortened(&hook.name);
    Description {
        attributes: vec![
            ("messaging.system", Value::from("zerodb_hooks")),
            ("messaging.operation.name", Value::from("process")),
            ("messaging.operation.type", Value::from("process")),
            (
                "messaging.message.id",
                Value::from(delivery.message_id.to_string()),
            ),
            ("cloudevents.event_id", Value::from(event.id.to_string())),
            (
                "cloudevents.event_type",
                Value::from(shortened(&event.event_type)),
            ),
            ("zerodb.delivery.id", Value::from(delivery.id)),
            (
                "zerodb.delivery.attempt",
                Value::from(i64::from(delivery.attempt)),
            ),
            ("zerodb.hook.id", Value::from(hook.id.to_string())),
            ("zerodb.hook.name", Value::from(name)),
        ],
        name: format!("process {name}"),
        waiting_since: (delivery.attempt == 1)
            .then(|| u64::try_from(event.created_at.as_nanosecond()).unwrap_or_default()),
    }
}

/// The beginning of a text that a user has written.
fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}
