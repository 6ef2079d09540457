//! The harness of the client-side tests: throw-away servers, a fresh database for each test, the real worker as a
//! process of its own, and a receiver for its webhooks. It must not touch a server that it has not started, and nothing
//! but `wait` may sleep.

pub mod cluster;
pub mod database;
pub mod receiver;
pub mod session;
pub mod wait;
pub mod worker;

pub use anyhow::Result;
pub use cluster::{Cluster, PgVersion};
pub use database::{Database, on_every_server};
pub use receiver::{Answer, Receiver};
pub use session::{Session, SqlError};
pub use wait::eventually;
pub use worker::Worker;
