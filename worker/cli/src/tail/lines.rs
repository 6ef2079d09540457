//! Attempts and events as lines, for people and for programs. Pure. A payload is in none.

use serde_json::json;

use crate::render::{self, Screen, Tone};
use zerodb_hooks_queries::{AttemptRecord, EventRecord};

pub fn document(attempt: &AttemptRecord) -> String {
    json!({
        "kind": "attempt",
        "time": attempt.ended_at,
        "event": attempt.event_type,
        "event_id": attempt.event_id,
        "delivery_id": attempt.delivery_id,
        "hook_id": attempt.hook_id,
        "hook_name": attempt.hook_name,
        "outcome": attempt.outcome,
        "attempt": attempt.attempt,
        "duration_ms": attempt.duration_ms,
        "status": attempt.status,
        "error": attempt.error,
        "worker": attempt.worker,
    })
    .to_string()
}

pub fn line(attempt: &AttemptRecord, screen: Screen) -> String {
    let tone = match attempt.outcome.as_str() {
        "completed" => Tone::Good,
        "failed" => Tone::Warning,
        _ => Tone::Bad,
    };
    // A deleted hook and an event that has left the log have no name any more.
    let known = |name: &Option<String>| name.as_deref().map_or_else(|| "-".into(), render::clean);
    let mut line = format!(
        "{} {} {} {} {} attempt {} in {}",
        screen.paint(Tone::Faint, &render::clock(attempt.ended_at)),
        screen.paint(tone, &format!("{:<9}", attempt.outcome)),
        known(&attempt.event_type),
        screen.paint(Tone::Faint, &known(&attempt.event_id)),
        known(&attempt.hook_name),
        attempt.attempt,
        render::duration(attempt.duration_ms),
    );
    if let Some(status) = attempt.status {
        line.push_str(&format!(" status {status}"));
    }
    if let Some(error) = &attempt.error {
        line.push_str(&format!(
            " {}",
            screen.paint(tone, &render::clip(&render::clean(error), 300))
        ));
    }
    line
}

pub fn event_document(event: &EventRecord) -> String {
    json!({
        "kind": "event",
        "time": event.created_at,
        "event": event.event,
        "event_id": event.id,
        "channel": event.channel,
        "user_id": event.user_id,
    })
    .to_string()
}

pub fn event_line(event: &EventRecord, screen: Screen) -> String {
    let user = event
        .user_id
        .map_or_else(String::new, |user| format!(" of user {user}"));
    format!(
        "{} {} {} {}{user}",
        screen.paint(Tone::Faint, &render::clock(event.created_at)),
        screen.paint(Tone::Faint, &format!("{:<9}", "event")),
        render::clean(&event.event),
        screen.paint(Tone::Faint, &event.id),
    )
}
