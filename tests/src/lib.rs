//! The harness of the client-side tests: throw-away servers, a fresh database for each test, the real worker as a
//! process of its own, and a receiver for its webhooks. It must not touch a server that it has not started, and nothing
//! but `wait` may sleep.

pub mod clock;
pub mod cluster;
pub mod database;
pub mod litellm;
pub mod model_endpoint;
pub mod pgbouncer;
pub mod raw_receiver;
pub mod receiver;
pub mod relay;
pub mod session;
pub mod standby;
pub mod tools;
pub mod version;
pub mod wait;
pub mod worker;

pub use anyhow::Result;
pub use clock::Clock;
pub use cluster::{Cluster, Launch};
pub use database::{Database, on_every_server};
pub use litellm::LiteLlm;
pub use model_endpoint::ModelEndpoint;
pub use pgbouncer::PgBouncer;
pub use raw_receiver::{RawReceiver, Then};
pub use receiver::{Answer, Receiver};
pub use relay::Relay;
pub use session::{Session, SqlError};
pub use version::PgVersion;
pub use wait::eventually;
pub use worker::Worker;
