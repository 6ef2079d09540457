//! An event as a handler sees it, and its two envelopes. Pure: `zerodb.event_json` makes the same JSON on the server,
//! and a contract test compares them.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use crate::event_data::EventData;

/// The channel whose events have the Astrocyte envelope.
const ASTROCYTE: &str = "astrocyte";

#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub id: EventId,
    pub event_type: String,
    pub channel: Arc<str>,
    /// Shared by the deliveries of the event.
    pub data: Arc<EventData>,
    pub user_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub bank_id: Option<String>,
    /// W3C trace context of the writer.
    pub traceparent: Option<String>,
    pub created_at: Timestamp,
    /// The table whose row it is about, by the server's number for it; 0 when it was emitted.
    pub relid: u32,
    /// The fields that events of its type may have, by the register; its data may have others. `None` for a type that
    /// is not known yet.
    pub fields: Option<Arc<[String]>>,
}

impl Event {
    /// The trace id within the trace context.
    pub fn trace_id(&self) -> Option<&str> {
        self.traceparent.as_deref()?.split('-').nth(1)
    }

    /// The id as a UUID, as the Astrocyte envelope has it.
    pub fn uuid(&self) -> Option<Uuid> {
        Uuid::try_parse(self.id.to_string().strip_prefix("evt_")?).ok()
    }

    /// RFC 3339 in UTC with microseconds.
    pub fn timestamp(&self) -> String {
        DateTimePrinter::new()
            .precision(Some(6))
            .timestamp_to_string(&self.created_at)
    }

    /// `{id, event, channel, data, timestamp}`, or the Astrocyte form for the events of its channel. The data are those
    /// of the log, to the last digit.
    pub fn envelope(&self) -> Box<RawValue> {
        self.envelope_with(Some(self.data.raw()))
    }

    /// The envelope, with other data, or without.
    pub fn envelope_with(&self, data: Option<&RawValue>) -> Box<RawValue> {
        let (id, timestamp) = (self.id.to_string(), self.timestamp());
        let made = if &*self.channel == ASTROCYTE {
            to_raw_value(&AstrocyteEnvelope {
                event_id: self.uuid(),
                event_type: &self.event_type,
                timestamp: &timestamp,
                bank_id: self.bank_id.as_deref(),
                data,
                trace_id: self.trace_id(),
            })
        } else {
            to_raw_value(&Envelope {
                id: &id,
                event: &self.event_type,
                channel: &self.channel,
                data,
                timestamp: &timestamp,
            })
        };
        // Texts and raw JSON cannot fail to be written.
        made.unwrap_or_else(|_| RawValue::NULL.to_owned())
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    id: &'a str,
    event: &'a str,
    channel: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    timestamp: &'a str,
}

#[derive(Serialize)]
struct AstrocyteEnvelope<'a> {
    event_id: Option<Uuid>,
    #[serde(rename = "type")]
    event_type: &'a str,
    timestamp: &'a str,
    bank_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    trace_id: Option<&'a str>,
}

/// `evt_` and 32 hex digits: salt of the installation, writer's transaction, number within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventId {
    pub salt: u32,
    pub xid: u64,
    pub ord: i32,
}

impl fmt::Display for EventId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "evt_{:08x}{:016x}{:08x}", self.salt, self.xid, self.ord)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn envelope(channel: &str) -> Value {
        serde_json::from_str(event(channel).envelope().get()).unwrap()
    }

    fn event(channel: &str) -> Event {
        Event {
            id: EventId {
                salt: 0x1f,
                xid: 762,
                ord: 3,
            },
            event_type: "on_retain".into(),
            channel: channel.into(),
            data: Arc::new(EventData::from(&json!({"bank_id": "b"}))),
            user_id: None,
            project_id: None,
            bank_id: Some("b".into()),
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
            created_at: "2026-06-10T08:00:00Z".parse().unwrap(),
            relid: 0,
            fields: None,
        }
    }

    #[test]
    fn zerodb_envelope_has_the_documented_keys() {
        let envelope = envelope("zerodb");
        assert_eq!(envelope["id"], "evt_0000001f00000000000002fa00000003");
        assert_eq!(envelope["timestamp"], "2026-06-10T08:00:00.000000Z");
        assert_eq!(envelope.as_object().unwrap().len(), 5);
    }

    #[test]
    fn astrocyte_envelope_has_a_uuid_and_the_trace() {
        let envelope = envelope(ASTROCYTE);
        assert_eq!(envelope["event_id"], "0000001f-0000-0000-0000-02fa00000003");
        assert_eq!(envelope["trace_id"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(envelope.as_object().unwrap().len(), 6);
    }
}
