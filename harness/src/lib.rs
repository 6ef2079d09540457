//! What the client-side tests, the demo and the benchmarks share: throw-away servers with a fresh database for each
//! test, programs as processes of their own (the real worker first of all), receivers for webhooks, and a model
//! endpoint. It must not touch a server that it has not started, it knows neither the worker's nor the extension's
//! source, and nothing but `wait` may sleep.

pub mod asking;
pub mod model_endpoint;
pub mod programs;
pub mod receivers;
pub mod servers;
pub mod wait;

pub use anyhow::Result;
pub use model_endpoint::ModelEndpoint;
pub use programs::{Clock, LiteLlm, Monitoring, PgBouncer, Worker};
pub use receivers::{Answer, RawReceiver, Receiver, Then};
pub use servers::{
    Cluster, Database, Launch, NameAnswer, NameServer, PgVersion, Relay, Session, SqlError, on_every_server,
    on_main_server,
};
pub use wait::{Held, SOON, eventually};
