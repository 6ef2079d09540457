//! The variables of a template from an event, and their size. Pure.

use serde_json::Value;
use zerodb_hooks_templates::Own;

use zerodb_hooks_delivery::event::Event;

/// The variables of an event beside the fields of its data.
pub fn own(event: &Event) -> Own {
    // Texts only; it has no data.
    let envelope: Value = serde_json::from_str(event.envelope_with(None).get()).unwrap_or_default();
    let mut own = Own::new();
    own.insert("event_type".into(), event.event_type.as_str().into());
    own.insert("event_id".into(), event.id.to_string().into());
    own.insert("timestamp".into(), event.timestamp().into());
    own.insert("channel".into(), (&*event.channel).into());
    own.insert("bank_id".into(), event.bank_id.as_deref().into());
    own.insert("trace_id".into(), event.trace_id().into());
    own.insert("event".into(), envelope);
    own
}

/// About how many bytes a value is as text.
pub fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(number) => number.as_str().len(),
        Value::String(text) => text.len() + 8,
        Value::Array(values) => 8 + values.iter().map(weight).sum::<usize>(),
        Value::Object(entries) => {
            8 + entries
                .iter()
                .map(|(name, value)| name.len() + 8 + weight(value))
                .sum::<usize>()
        }
    }
}
