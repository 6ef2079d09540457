//! `sql`: calls a SQL function with the envelope, as the hook's owner.

use async_trait::async_trait;

use zerodb_hooks_contract::hooks;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::outcome::{Done, HandlerError};
use zerodb_hooks_engine::{Context, Handler, verdict};
use zerodb_hooks_store::{FUNCTION_TURNS, StoreError};
use zerodb_hooks_turns::Shares;

pub struct CallFunction;

#[async_trait]
impl Handler for CallFunction {
    async fn run(&self, context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        // The server reads the name of the function itself.
        delivery.hook.config::<hooks::Sql>()?;
        let store = &context.store;
        match store.call_function(&delivery.hook, delivery.event.id).await {
            Ok(()) => Ok(Done::default()),
            Err(error) if error.is_untried() => Err(HandlerError::Deferred {
                message: error.to_string(),
                after: verdict::UNTIL_BACK,
            }),
            // The event's data, and whose the hook is, are what they are.
            Err(error @ StoreError::Uncallable { .. }) => Err(HandlerError::permanent(error.to_string())),
            // Also where the function, or what it names, is not there or not allowed: a migration takes things away and
            // brings them back.
            Err(error) => Err(HandlerError::transient(error.to_string())),
        }
    }

    fn shares(&self) -> Shares {
        FUNCTION_TURNS
    }
}
