//! PostgreSQL servers that last as long as the test process, their databases and connections, a relay that may stand
//! before them, and a server of names.

pub mod cluster;
pub mod database;
pub mod names;
pub mod progress;
pub mod relay;
pub mod session;
pub mod standby;
pub mod version;

pub use cluster::{Cluster, Launch};
pub use database::{Database, on_every_server, on_main_server};
pub use names::{NameAnswer, NameServer};
pub use relay::Relay;
pub use session::{Session, SqlError};
pub use version::PgVersion;
