//! `log`: writes a line to the worker's log. Config: `level`, `message` (a template; by default the whole envelope). A line
//! that the worker's log leaves out is not composed either.

use async_trait::async_trait;

use super::{Context, Handler, template};
use crate::delivery::Delivery;
use crate::outcome::{Done, HandlerError};

pub struct Log;

/// One line, of a level that is known when this is compiled.
macro_rules! write_line {
    ($delivery:expr, $level:expr) => {
        if tracing::enabled!($level) {
            let (id, hook) = (&$delivery.event.id, &$delivery.hook.name);
            let message = compose($delivery)?;
            tracing::event!($level, event.id = %id, hook.name = %hook, "{message}");
        }
    };
}

#[async_trait]
impl Handler for Log {
    async fn run(&self, _context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        match delivery.hook.text("level").unwrap_or("info") {
            "debug" => write_line!(delivery, tracing::Level::DEBUG),
            "warning" => write_line!(delivery, tracing::Level::WARN),
            "error" => write_line!(delivery, tracing::Level::ERROR),
            _ => write_line!(delivery, tracing::Level::INFO),
        }
        Ok(Done::default())
    }
}

fn compose(delivery: &Delivery) -> Result<String, HandlerError> {
    match delivery.hook.text("message") {
        Some(message) => template::render(message, &delivery.event),
        None => Ok(delivery.event.envelope().to_string()),
    }
}
