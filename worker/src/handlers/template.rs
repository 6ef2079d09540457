//! Jinja2 templates over an event, for `log` messages and `webhook` bodies. The environment has no loader and no
//! function that reaches outside, and a fuel limit ends a template that would not. Secrets are not among the variables.

use minijinja::{Environment, Value, context};

use crate::event::Event;
use crate::outcome::HandlerError;

/// Steps that one rendering may take.
const FUEL: u64 = 100_000;

/// Renders `template` with the event's data fields and `event_type`, `event_id`, `timestamp`, `channel`, `bank_id`,
/// `trace_id`, `data` and `event` (the envelope).
///
/// # Errors
/// Permanent: a template that fails for an event fails for it again.
pub fn render(template: &str, event: &Event) -> Result<String, HandlerError> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    let own = context! {
        event_type => event.event_type,
        event_id => event.id.to_string(),
        timestamp => event.timestamp(),
        channel => &*event.channel,
        bank_id => event.bank_id,
        trace_id => event.trace_id(),
        data => event.data,
        event => event.envelope(),
    };
    let variables = context! { ..Value::from_serialize(&event.data), ..own };
    environment
        .render_str(template, variables)
        .map_err(|error| HandlerError::permanent(format!("the template failed: {}", describe(&error))))
}

/// Kind and line, not the source: a template may hold what should not be in a log.
fn describe(error: &minijinja::Error) -> String {
    match error.line() {
        Some(line) => format!("{} in line {line}", error.kind()),
        None => error.kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventId;
    use serde_json::json;

    fn event() -> Event {
        Event {
            id: EventId {
                salt: 1,
                xid: 2,
                ord: 3,
            },
            event_type: "on_pii_detected".into(),
            channel: "astrocyte".into(),
            data: json!({"pii_type": "email", "count": 2}),
            user_id: None,
            project_id: None,
            bank_id: Some("b1".into()),
            traceparent: None,
            created_at: jiff::Timestamp::UNIX_EPOCH,
            relid: 0,
        }
    }

    #[test]
    fn data_fields_and_the_events_own_are_variables() {
        let text = render(
            "{{event_type}}: {{pii_type}} in {{bank_id}} ({{data.count}})",
            &event(),
        )
        .unwrap();
        assert_eq!(text, "on_pii_detected: email in b1 (2)");
    }

    #[test]
    fn an_endless_template_ends() {
        let error = render(
            "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}",
            &event(),
        );
        assert!(matches!(error, Err(HandlerError::Permanent { .. })));
    }
}
