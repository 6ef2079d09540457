//! Renders Jinja2 templates over an event or a row, and decides what a failure means for a delivery. Secrets are not
//! among the variables.
//!
//! A plain template (`zerodb_hooks_templates::pieces`) is rendered here and now, within a bound of work. Any other may
//! take much memory or time for little text, so a child process with limits renders it; children stay for the next one.

mod child;
mod message;
mod renderer;
mod turns;
mod variables;

pub use child::serve;

use std::borrow::Cow;
use std::path::PathBuf;

use parking_lot::Mutex;
use serde_json::Value;
use zerodb_hooks_templates::pieces;

use message::Head;
use renderer::{Renderer, Trouble};
use turns::{RenderTurns, Strikes};
use variables::{own, weight};
use zerodb_hooks_delivery::event::Event;
use zerodb_hooks_delivery::event_data::{EventData, Unreadable};
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_delivery::outcome::UNTIL_CHANGED;

/// Fields and filters of a plain template times bytes of data, up to which it is rendered on the worker's own threads:
/// some milliseconds.
const PLAIN_WORK: usize = 4 << 20;

/// Renders templates; one for a worker.
pub struct Templates {
    /// `zerodb-hooks`; without it only plain templates are rendered.
    program: Option<PathBuf>,
    idle: Mutex<Vec<Renderer>>,
    turns: RenderTurns,
    strikes: Strikes,
}

/// A rendering.
struct Rendering<'a> {
    hook: &'a Hook,
    template: &'a str,
    data: Data<'a>,
    head: Head,
}

/// The data that a template is rendered with.
enum Data<'a> {
    Event(&'a EventData),
    Row(&'a Value),
}

impl Data<'_> {
    /// About how many bytes it has.
    fn weight(&self) -> usize {
        match self {
            Self::Event(data) => data.text().len(),
            Self::Row(row) => weight(row),
        }
    }

    fn value(&self) -> Result<&Value, Unreadable> {
        match self {
            Self::Event(data) => data.value(),
            Self::Row(row) => Ok(row),
        }
    }

    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Event(data) => data.text().into(),
            Self::Row(row) => row.to_string().into(),
        }
    }
}

impl Templates {
    pub fn new(program: Option<PathBuf>) -> Self {
        Self {
            program,
            idle: Mutex::default(),
            turns: RenderTurns::default(),
            strikes: Strikes::default(),
        }
    }

    /// Renders with the event's data fields and `event_type`, `event_id`, `timestamp`, `channel`, `bank_id`,
    /// `trace_id`, `data` and `event` (the envelope). Safe to cancel.
    ///
    /// # Errors
    /// Permanent: a template that fails for an event, or takes more than it may, does so again, and data that cannot be
    /// read stay so. Transient when no child could be had, deferred when this worker has none.
    pub async fn of_event(
        &self,
        hook: &Hook,
        template: &str,
        event: &Event,
        most: usize,
    ) -> Result<String, HandlerError> {
        self.of_event_as(hook, template, event, most, false).await
    }

    /// The same; `as_json` says that the template writes JSON.
    ///
    /// # Errors
    /// As for `of_event`.
    pub async fn of_event_as(
        &self,
        hook: &Hook,
        template: &str,
        event: &Event,
        most: usize,
        as_json: bool,
    ) -> Result<String, HandlerError> {
        let head = Head {
            own: Some(own(event)),
            known: event.fields.as_ref().map(|fields| fields.to_vec()),
            most,
            as_json,
        };
        let data = Data::Event(&event.data);
        self.render(&Rendering {
            hook,
            template,
            data,
            head,
        })
        .await
    }

    /// Renders with a row's columns.
    ///
    /// # Errors
    /// As for `of_event`.
    pub async fn of_row(
        &self,
        hook: &Hook,
        template: &str,
        row: &Value,
        most: usize,
    ) -> Result<String, HandlerError> {
        let head = Head {
            own: None,
            known: None,
            most,
            as_json: false,
        };
        self.render(&Rendering {
            hook,
            template,
            data: Data::Row(row),
            head,
        })
        .await
    }

    async fn render(&self, rendering: &Rendering<'_>) -> Result<String, HandlerError> {
        let is_plain = pieces(rendering.template)
            .and_then(|pieces| pieces.checked_mul(rendering.data.weight()))
            .is_some_and(|work| work <= PLAIN_WORK);
        if is_plain {
            let data = rendering.data.value().map_err(|unread| failed(&unread))?;
            let head = &rendering.head;
            return zerodb_hooks_templates::render(
                rendering.template,
                data,
                head.own.as_ref(),
                head.known.as_deref(),
                head.form(),
            )
            .map_err(|fault| failed(&fault));
        }
        let _turn = self.turns.of(rendering.hook.tenant()).await;
        // Asked here, for those that waited while the others had their strikes.
        if self.strikes.is_out(rendering.hook) {
            return Err(HandlerError::permanent(
                "the template took too much each time it was tried; it is not tried until the hook is changed",
            ));
        }
        match self.ask(rendering).await {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(fault)) => Err(failed(&fault)),
            Err(Some(trouble)) if trouble.is_of_the_template() => Err(failed(&trouble)),
            Err(Some(trouble)) => {
                Err(HandlerError::transient(format!("a template was not rendered: {trouble}")))
            }
            Err(None) => Err(HandlerError::Deferred {
                message: "no_renderer: this worker renders plain templates only; name the program with WorkerBuilder::parser".into(),
                after: UNTIL_CHANGED,
            }),
        }
    }

    /// Lets a child render; `Err(None)` where there is no program for one.
    async fn ask(&self, rendering: &Rendering<'_>) -> Result<Result<String, String>, Option<Trouble>> {
        let program = self.program.as_ref().ok_or(None)?;
        let idle = self.idle.lock().pop();
        let renderer = match idle {
            Some(renderer) => renderer,
            None => Renderer::start(program).map_err(Some)?,
        };
        let mut watch = self.strikes.watch(rendering.hook);
        let rendered = renderer
            .render(&rendering.head, rendering.template, &rendering.data.text())
            .await;
        watch.too_much = Some(matches!(&rendered, Err(trouble) if trouble.is_of_the_template()));
        let (answer, renderer) = rendered.map_err(Some)?;
        self.idle.lock().push(renderer);
        Ok(answer)
    }
}

fn failed(what: &impl std::fmt::Display) -> HandlerError {
    HandlerError::permanent(format!("the template failed: {what}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use uuid::Uuid;
    use zerodb_hooks_delivery::event::EventId;

    fn event() -> Event {
        Event {
            id: EventId {
                salt: 1,
                xid: 2,
                ord: 3,
            },
            event_type: "on_pii_detected".into(),
            channel: "astrocyte".into(),
            data: Arc::new(EventData::from(&json!({"pii_type": "email", "count": 2}))),
            user_id: None,
            project_id: None,
            bank_id: Some("b1".into()),
            traceparent: None,
            created_at: jiff::Timestamp::UNIX_EPOCH,
            relid: 0,
            fields: None,
        }
    }

    fn hook() -> Hook {
        Hook::new(Uuid::nil(), 1, Uuid::nil(), "log", "h".into(), &json!({}))
    }

    #[tokio::test]
    async fn data_fields_and_the_events_own_are_variables() {
        let template = "{{event_type}}: {{pii_type}} in {{bank_id}} ({{data.count}}) {{event.data.count}} {{event.type}}";
        let text = Templates::new(None)
            .of_event(&hook(), template, &event(), 1000)
            .await
            .unwrap();
        assert_eq!(text, "on_pii_detected: email in b1 (2) 2 on_pii_detected");
    }

    #[tokio::test]
    async fn what_is_not_plain_is_never_rendered_in_this_process() {
        let endless = "{% for i in range(10) %}x{% endfor %}";
        let error = Templates::new(None)
            .of_event(&hook(), endless, &event(), 1000)
            .await;
        assert!(matches!(error, Err(HandlerError::Deferred { .. })), "{error:?}");
        let mut large = event();
        large.data = Arc::new(EventData::from(&json!({"a": "x".repeat(PLAIN_WORK)})));
        let error = Templates::new(None)
            .of_event(&hook(), "{{ a|upper }}", &large, 1000)
            .await;
        assert!(matches!(error, Err(HandlerError::Deferred { .. })), "{error:?}");
    }
}
