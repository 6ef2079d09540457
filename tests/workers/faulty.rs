//! A worker whose handlers do what a handler must not: panic, block their thread, never return, return two gigabytes.
//! Used by the chaos tests. DATABASE_URL names the database.

use std::time::Duration;

use async_trait::async_trait;
use zerodb_hooks_worker::{Context, Delivery, Done, Handler, HandlerError, Settings, Worker, WorkerError};

enum Faulty {
    Panics,
    Blocks,
    NeverReturns,
    ReturnsTwoGigabytes,
    Well,
}

#[async_trait]
impl Handler for Faulty {
    async fn run(&self, _context: &Context, _delivery: &Delivery) -> Result<Done, HandlerError> {
        match self {
            Self::Panics => panic!("a handler that panics"),
            // As a call that does not know of async does, for ever.
            Self::Blocks => loop {
                std::thread::park();
            },
            Self::NeverReturns => std::future::pending().await,
            Self::ReturnsTwoGigabytes => Err(HandlerError::transient("x".repeat(2 << 30))),
            Self::Well => Ok(Done::default()),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), WorkerError> {
    let url = std::env::var("DATABASE_URL").unwrap_or_default();
    let settings = Settings {
        lease: Duration::from_secs(3),
        poll: Duration::from_millis(200),
        ..Settings::default()
    };
    Worker::builder(&url)
        .handler("panics", Faulty::Panics)
        .handler("blocks", Faulty::Blocks)
        .handler("never_returns", Faulty::NeverReturns)
        .handler("returns_two_gigabytes", Faulty::ReturnsTwoGigabytes)
        .handler("well", Faulty::Well)
        .settings(settings)
        .build()?
        .run()
        .await
}
