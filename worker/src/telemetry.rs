//! Logging. Fields are dotted (`event.id`, `delivery.id`); a payload or a secret is never one of them. What a user
//! has written forges neither a line of the log nor the field beside it. And traces, where they are asked for.

mod fields;
mod json;
#[cfg(feature = "otlp")]
mod otlp;
pub mod traces;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;
use fields::Quoted;
use json::Escaping;

/// Starts logging to standard error. A filter that does not parse is reported and `info` used.
pub fn init(format: LogFormat, filter: &str) {
    let parsed = EnvFilter::try_new(filter);
    let wrong = parsed.as_ref().err().map(ToString::to_string);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(parsed.unwrap_or_else(|_| EnvFilter::new("info")))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(false);
    match format {
        LogFormat::Text => builder.fmt_fields(Quoted).init(),
        LogFormat::Json => builder.json().with_writer(|| Escaping(std::io::stderr())).init(),
    }
    if let Some(reason) = wrong {
        tracing::warn!(reason, "the log filter is not valid, using info");
    }
}
