//! PostgreSQL servers that last as long as the test process, their databases and connections, and a relay that may
//! stand before them.

pub mod cluster;
pub mod database;
pub mod progress;
pub mod relay;
pub mod session;
pub mod standby;
pub mod version;

pub use cluster::{Cluster, Launch};
pub use database::{Database, on_every_server};
pub use relay::Relay;
pub use session::{Session, SqlError};
pub use version::PgVersion;
