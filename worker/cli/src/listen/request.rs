//! One request as it came: who it says it is, whether its signature holds, and its line. Pure but for the clock that
//! the verification of a signature looks at.

use axum::body::Bytes;
use axum::http::{HeaderMap, request::Parts};
use jiff::Timestamp;
use serde_json::{Value, json};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, Webhook};

use crate::render::{self, Screen, Tone};

/// What is to be said of a request's signature.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Signature {
    Good,
    /// With the reason.
    Bad(String),
    /// The request has none.
    None,
    /// It has one, but no secret was given to verify it with.
    Unverified,
}

impl Signature {
    /// Verifies a signature as Standard Webhooks says: over id, time and body, at most five minutes old.
    pub(super) fn check(verifier: Option<&Webhook>, headers: &HeaderMap, body: &[u8]) -> Self {
        match verifier {
            _ if !headers.contains_key(HEADER_WEBHOOK_SIGNATURE) => Self::None,
            None => Self::Unverified,
            Some(verifier) => match verifier.verify(body, headers) {
                Ok(()) => Self::Good,
                Err(error) => Self::Bad(error.to_string()),
            },
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Bad(_) => "BAD",
            Self::None => "none",
            Self::Unverified => "not verified",
        }
    }

    fn text(&self, screen: Screen) -> String {
        let (tone, reason) = match self {
            Self::Good => (Tone::Good, String::new()),
            Self::Bad(reason) => (Tone::Bad, format!(" ({reason})")),
            Self::None => (Tone::Warning, String::new()),
            Self::Unverified => (Tone::Faint, String::new()),
        };
        screen.paint(tone, &format!("signature {}{reason}", self.word()))
    }
}

/// A request and its answer.
pub(super) struct Received {
    at: Timestamp,
    method: String,
    path: String,
    webhook_id: Option<String>,
    event_type: Option<String>,
    body: Bytes,
    pub(super) signature: Signature,
    /// The status it was answered with; `None` where the connection was closed.
    status: Option<u16>,
}

impl Received {
    pub(super) fn new(
        at: Timestamp,
        parts: &Parts,
        body: Bytes,
        signature: Signature,
        status: Option<u16>,
    ) -> Self {
        let header = |name: &str| {
            parts
                .headers
                .get(name)
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Self {
            at,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            webhook_id: header(HEADER_WEBHOOK_ID),
            event_type: header("ce-type").or_else(|| event_type(&body)),
            body,
            signature,
            status,
        }
    }

    /// Whether the answer was a success.
    pub(super) fn accepted(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    pub(super) fn json(&self, with_body: bool) -> String {
        let reason = match &self.signature {
            Signature::Bad(reason) => Some(reason),
            _ => None,
        };
        let mut object = json!({
            "kind": "request", "time": self.at, "method": self.method, "path": self.path, "webhook_id": self.webhook_id,
            "event": self.event_type, "signature": self.signature.word(), "reason": reason, "status": self.status,
            "bytes": self.body.len()
        });
        if with_body {
            object["body"] = serde_json::from_slice(&self.body)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&self.body).into_owned()));
        }
        object.to_string()
    }

    pub(super) fn text(&self, screen: Screen, with_body: bool) -> String {
        let known = |name: &Option<String>| name.as_deref().map_or_else(|| "-".into(), render::clean);
        let answered = if self.accepted() {
            Tone::Plain
        } else {
            Tone::Warning
        };
        let mut text = format!(
            "{} {} {} {} {} {} {}",
            screen.paint(Tone::Faint, &render::clock(self.at)),
            self.method,
            render::clean(&self.path),
            screen.paint(Tone::Faint, &known(&self.webhook_id)),
            known(&self.event_type),
            self.signature.text(screen),
            screen.paint(
                answered,
                &self
                    .status
                    .map_or("→ closed".into(), |status| format!("→ {status}"))
            ),
        );
        if with_body {
            for line in String::from_utf8_lossy(&self.body).lines() {
                text.push_str("\n    ");
                text.push_str(&render::clean(line));
            }
        }
        text
    }
}

/// The event type in a native envelope (`event`), an Astrocyte one or a CloudEvent (`type`).
fn event_type(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    ["event", "type"]
        .iter()
        .find_map(|key| Some(body.get(key)?.as_str()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, Request};

    use super::*;

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    fn signed(at: i64, body: &[u8]) -> HeaderMap {
        let webhook = Webhook::new(SECRET).expect("a good secret");
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", HeaderValue::from_static("msg_1"));
        headers.insert("webhook-timestamp", HeaderValue::from(at));
        let signature = webhook.sign("msg_1", at, body).expect("signed");
        headers.insert(
            "webhook-signature",
            HeaderValue::from_str(&signature).expect("a header"),
        );
        headers
    }

    #[test]
    fn signatures_are_told_apart() {
        let webhook = Webhook::new(SECRET).expect("a good secret");
        let now = Timestamp::now().as_second();
        let check = |verifier, headers: &HeaderMap, body: &[u8]| Signature::check(verifier, headers, body);
        assert_eq!(check(Some(&webhook), &signed(now, b"{}"), b"{}"), Signature::Good);
        assert!(matches!(
            check(Some(&webhook), &signed(now, b"{}"), b"{ }"),
            Signature::Bad(_)
        ));
        assert!(matches!(
            check(Some(&webhook), &signed(now - 3600, b"{}"), b"{}"),
            Signature::Bad(_)
        ));
        assert_eq!(check(Some(&webhook), &HeaderMap::new(), b"{}"), Signature::None);
        assert_eq!(check(None, &signed(now, b"{}"), b"{}"), Signature::Unverified);
    }

    #[test]
    fn the_event_type_is_found_in_every_format() {
        assert_eq!(
            event_type(br#"{"event": "a.b", "data": {}}"#).as_deref(),
            Some("a.b")
        );
        assert_eq!(
            event_type(br#"{"type": "on_retain"}"#).as_deref(),
            Some("on_retain")
        );
        assert_eq!(event_type(b"hello"), None);
    }

    #[test]
    fn a_line_hides_the_query_and_shows_the_body_only_when_asked() {
        let (parts, ()) = Request::builder()
            .method("POST")
            .uri("/in?token=hush")
            .body(())
            .expect("a request")
            .into_parts();
        let request = Received::new(
            Timestamp::now(),
            &parts,
            Bytes::from_static(b"{\"event\":\"a.b\"}"),
            Signature::None,
            Some(204),
        );
        let line = request.text(Screen::stdout(), false);
        assert!(
            line.contains("POST /in - a.b signature none → 204") && !line.contains("hush"),
            "{line}"
        );
        assert!(request.text(Screen::stdout(), true).contains("\n    {\"event\""));
        assert!(!request.json(false).contains("\"body\""));
    }
}
