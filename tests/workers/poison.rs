//! A worker whose handler `poison` ends the process when it meets a document of size 666, as a handler with a fatal bug
//! would. Used by the chaos tests, which start it again each time.

use async_trait::async_trait;
use zerodb_hooks_worker::{Context, Delivery, Done, Handler, HandlerError, Settings, Worker, WorkerError};

struct Poison;

#[async_trait]
impl Handler for Poison {
    async fn run(&self, _context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        // Whatever else runs gets the time to be in flight too.
        tokio::task::yield_now().await;
        if delivery.event.data.value()?["size"] == 666 {
            std::process::abort();
        }
        Ok(Done::default())
    }
}

#[tokio::main]
async fn main() -> Result<(), WorkerError> {
    let url = std::env::var("DATABASE_URL").unwrap_or_default();
    let settings = Settings {
        // Short, because every death waits for its end; long enough for a busy machine.
        lease: std::time::Duration::from_secs(3),
        ..Settings::default()
    };
    Worker::builder(&url)
        .handler("poison", Poison)
        .settings(settings)
        .build()?
        .run()
        .await
}
