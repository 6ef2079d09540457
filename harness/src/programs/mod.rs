//! Programs as processes of their own, which end with the value that holds them, and what such a process is shown.

pub mod clock;
pub mod litellm;
pub mod monitoring;
pub mod pgbouncer;
pub mod tools;
pub mod worker;

pub use clock::Clock;
pub use litellm::LiteLlm;
pub use monitoring::Monitoring;
pub use pgbouncer::PgBouncer;
pub use worker::Worker;
