//! The child's side: renders one template after the other until its parent is done with it.

use std::process::ExitCode;

use zerodb_hooks_delivery::event_data::EventData;
use zerodb_hooks_templates::render;

use crate::message::{self, RenderRequest};

/// The whole life of a child: `main` calls this before it starts a thread or a runtime, and returns what it returns.
#[must_use]
pub fn serve() -> ExitCode {
    zerodb_hooks_child::serve(message::REQUEST, |parts| {
        let RenderRequest { head, template, data } = RenderRequest::read(parts)?;
        let result = match EventData::new(&data).as_ref().map(EventData::value) {
            Ok(Ok(data)) => render(
                &template,
                data,
                head.own.as_ref(),
                head.known.as_deref(),
                head.form(),
            )
            .map_err(|fault| fault.to_string()),
            Ok(Err(unread)) => Err(unread.to_string()),
            Err(unread) => Err(unread.to_string()),
        };
        Ok(message::answer(result))
    })
}
