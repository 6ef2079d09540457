//! The child's side: binds itself to its limits, then renders one template after the other until its parent is done with it.

use std::io;
use std::process::ExitCode;

use zerodb_hooks_child::Allowance;
use zerodb_hooks_templates::render;

use super::frame::{self, Request};
use zerodb_hooks_delivery::event_data::EventData;

/// The exit code of a child that could not begin.
pub const NOT_READY: u8 = 3;

/// The whole life of a child: `main` calls this before it starts a thread or a runtime, and returns what it returns.
#[must_use]
pub fn serve() -> ExitCode {
    let ready = Allowance::from_arguments(std::env::args_os())
        .ok_or(io::ErrorKind::InvalidInput.into())
        .and_then(|allowance| allowance.apply());
    if ready.is_err() {
        return ExitCode::from(NOT_READY);
    }
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    loop {
        let Ok(request) = Request::read(&mut input) else {
            return ExitCode::FAILURE;
        };
        let Some(Request { head, template, data }) = request else {
            return ExitCode::SUCCESS;
        };
        let result = match EventData::new(&data).as_ref().map(EventData::value) {
            Ok(Ok(data)) => {
                render(&template, data, head.own.as_ref(), head.form()).map_err(|fault| fault.to_string())
            }
            Ok(Err(unread)) => Err(unread.to_string()),
            Err(unread) => Err(unread.to_string()),
        };
        if frame::answer(&mut output, result).is_err() {
            return ExitCode::FAILURE;
        }
    }
}
