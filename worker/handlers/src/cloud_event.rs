//! An event as a CloudEvent 1.0: in one JSON object, or with its attributes in headers. Pure.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use zerodb_hooks_delivery::event::Event;

/// The attributes. `bankid` and `traceid` are extensions of ours, `traceparent` is that of the Distributed Tracing
/// extension.
#[derive(Serialize)]
struct Attributes<'a> {
    specversion: &'static str,
    id: String,
    #[serde(rename = "type")]
    event_type: &'a str,
    source: String,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bankid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
}

#[derive(Serialize)]
struct Structured<'a> {
    #[serde(flatten)]
    attributes: Attributes<'a>,
    datacontenttype: &'static str,
    data: &'a RawValue,
}

fn attributes(event: &Event) -> Attributes<'_> {
    Attributes {
        specversion: "1.0",
        id: event.id.to_string(),
        event_type: &event.event_type,
        source: source(&event.channel),
        time: event.timestamp(),
        bankid: event
            .bank_id
            .as_deref()
            .map(sayable)
            .filter(|bank| !bank.is_empty()),
        traceid: event.trace_id(),
        traceparent: event.traceparent.as_deref(),
    }
}

/// A URI reference: a channel may have signs that are none of it.
fn source(channel: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut source = "/zerodb/".to_owned();
    for byte in channel.bytes() {
        match plain(byte) {
            true => source.push(char::from(byte)),
            false => source.push_str(&format!("%{byte:02X}")),
        }
    }
    source
}

/// A text without the characters that an attribute cannot have (CloudEvents, Type System): controls and what is no
/// character.
fn sayable(text: &str) -> String {
    let is_none = |sign: char| {
        sign.is_control()
            || matches!(u32::from(sign) & 0xFFFE, 0xFFFE)
            || ('\u{FDD0}'..='\u{FDEF}').contains(&sign)
    };
    text.chars().filter(|sign| !is_none(*sign)).collect()
}

/// The structured mode: all in one object.
pub fn structured(event: &Event) -> Box<RawValue> {
    let made = to_raw_value(&Structured {
        attributes: attributes(event),
        datacontenttype: "application/json",
        data: event.data.raw(),
    });
    // Texts and raw JSON cannot fail to be written.
    made.unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// The binary mode: the attributes as headers, beside which the body is the data.
pub fn headers(event: &Event) -> Vec<(String, String)> {
    let Attributes {
        specversion,
        id,
        event_type,
        source,
        time,
        bankid,
        traceid,
        traceparent,
    } = attributes(event);
    let always = [
        ("specversion", specversion),
        ("id", &id),
        ("type", event_type),
        ("source", &source),
        ("time", &time),
    ];
    let where_there = [
        ("bankid", bankid.as_deref()),
        ("traceid", traceid),
        ("traceparent", traceparent),
    ];
    let given = where_there
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    always
        .into_iter()
        .chain(given)
        .map(|(name, value)| (format!("ce-{name}"), encoded(value)))
        .collect()
}

/// As the HTTP binding writes a value into a header: what is not printable ASCII, and space, quote and percent, by
/// their bytes.
fn encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for sign in value.chars() {
        match sign {
            '!'..='~' if !matches!(sign, '"' | '%') => encoded.push(sign),
            _ => {
                for byte in sign.encode_utf8(&mut [0; 4]).bytes() {
                    encoded.push_str(&format!("%{byte:02X}"));
                }
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};
    use zerodb_hooks_delivery::event::EventId;
    use zerodb_hooks_delivery::event_data::EventData;

    use super::*;

    fn event(bank: &str) -> Event {
        Event {
            id: EventId {
                salt: 1,
                xid: 2,
                ord: 3,
            },
            event_type: "on_retain".into(),
            channel: "my channel".into(),
            data: Arc::new(EventData::from(&json!({"n": 1.50}))),
            user_id: None,
            project_id: None,
            bank_id: Some(bank.into()),
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
            created_at: jiff::Timestamp::UNIX_EPOCH,
            relid: 0,
            fields: None,
        }
    }

    #[test]
    fn both_forms_have_the_same_attributes() {
        let event = event("b \"1\" 50% é\r\nx: y");
        let whole: Value = serde_json::from_str(structured(&event).get()).unwrap();
        assert_eq!(whole["bankid"], "b \"1\" 50% éx: y");
        assert_eq!(whole["traceid"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(whole["source"], "/zerodb/my%20channel");
        assert_eq!(whole["time"], "1970-01-01T00:00:00.000000Z");
        let headers = headers(&event);
        let header = |name: &str| {
            headers
                .iter()
                .find(|(found, _)| found == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(header("ce-bankid"), Some("b%20%221%22%2050%25%20%C3%A9x:%20y"));
        assert_eq!(header("ce-id"), whole["id"].as_str());
        assert_eq!(headers.len() + 2, whole.as_object().unwrap().len());
    }

    fn cases() -> proptest::prelude::ProptestConfig {
        proptest::prelude::ProptestConfig {
            failure_persistence: None,
            ..proptest::prelude::ProptestConfig::with_cases(500)
        }
    }

    proptest::proptest! {
        #![proptest_config(cases())]

        #[test]
        fn any_text_is_an_attribute_in_both_forms(bank in "(?s).{0,30}", channel in "(?s).{0,10}") {
            let event = Event { channel: channel.as_str().into(), ..event(&bank) };
            let whole: Value = serde_json::from_str(structured(&event).get()).unwrap();
            for (name, value) in headers(&event) {
                proptest::prop_assert!(value.bytes().all(|byte| byte.is_ascii_graphic()), "{value}");
                let plain = value.replace('%', "").len() < value.len();
                proptest::prop_assert!(plain || whole[&name[3..]] == value.as_str(), "{name}: {value}");
            }
        }
    }

    #[test]
    fn an_attribute_that_would_be_empty_is_left_out() {
        for bank in ["", "\u{7}", "\u{FFFF}"] {
            assert!(!structured(&event(bank)).get().contains("bankid"), "{bank:?}");
        }
    }
}
