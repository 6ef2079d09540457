//! `log`: writes a line to the worker's log. Config: `level`, `message` (a template; by default the whole envelope).

use async_trait::async_trait;

use super::{Context, Handler, template};
use crate::delivery::Delivery;
use crate::outcome::{Done, HandlerError};

pub struct Log;

#[async_trait]
impl Handler for Log {
    async fn run(&self, _context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        let message = match delivery.hook.text("message") {
            Some(message) => template::render(message, &delivery.event)?,
            None => delivery.event.envelope().to_string(),
        };
        let (id, hook) = (&delivery.event.id, &delivery.hook.name);
        match delivery.hook.text("level").unwrap_or("info") {
            "debug" => tracing::debug!(event.id = %id, hook.name = %hook, "{message}"),
            "warning" => tracing::warn!(event.id = %id, hook.name = %hook, "{message}"),
            "error" => tracing::error!(event.id = %id, hook.name = %hook, "{message}"),
            _ => tracing::info!(event.id = %id, hook.name = %hook, "{message}"),
        }
        Ok(Done::default())
    }
}
