//! `log`: writes a line to the worker's log. A line that the worker's log leaves out is not composed either.
//! The message is a value of its line, which the log quotes: it can forge neither another line nor what stands beside
//! it.

use async_trait::async_trait;

use zerodb_hooks_contract::hooks::{self, Level};
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::outcome::{Done, HandlerError};
use zerodb_hooks_engine::{Context, Handler};

/// The most bytes that a message's template may write.
const MOST: usize = 64 << 10;

pub struct Log;

/// One line, of a level that is known when this is compiled.
macro_rules! write_line {
    ($context:expr, $delivery:expr, $level:expr) => {
        if tracing::enabled!($level) {
            let (id, hook) = (&$delivery.event.id, &$delivery.hook.name);
            let message = compose($context, $delivery).await?;
            tracing::event!($level, message = message.as_str(), event.id = %id, hook.name = %hook);
        }
    };
}

#[async_trait]
impl Handler for Log {
    async fn run(&self, context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        match delivery.hook.config::<hooks::Log>()?.level {
            Level::Debug => write_line!(context, delivery, tracing::Level::DEBUG),
            Level::Info => write_line!(context, delivery, tracing::Level::INFO),
            Level::Warning => write_line!(context, delivery, tracing::Level::WARN),
            Level::Error => write_line!(context, delivery, tracing::Level::ERROR),
        }
        Ok(Done::default())
    }
}

/// What the line says.
///
/// # Errors
/// Those of the template.
pub async fn compose(context: &Context, delivery: &Delivery) -> Result<String, HandlerError> {
    let (hook, event) = (&delivery.hook, &delivery.event);
    match &hook.config::<hooks::Log>()?.message {
        Some(message) => context.templates.of_event(hook, message, event, MOST).await,
        None => Ok(event.envelope().get().to_owned()),
    }
}
