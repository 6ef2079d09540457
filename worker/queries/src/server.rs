//! What the server says of itself, its clock, its room for connections and notifications, and what keeps vacuum from
//! working.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio_postgres::Client;
use zerodb_hooks_store::row::FromRow;

use crate::{QueryError, ask, statements};

zerodb_hooks_store::row! {
    /// What the server says of itself.
    #[derive(Debug, Clone, Serialize)]
    pub struct ServerFacts {
        /// Such as 180001.
        pub version_number: i32,
        /// Such as 18.1.
        pub version: String,
        /// The database.
        pub database: String,
        /// The role of this session.
        pub role: String,
        /// Whether it is a standby.
        pub in_recovery: bool,
        /// Its clock when it answered.
        pub clock: Timestamp,
    }
}

/// The server, and how far its clock and the way to it are from here.
#[derive(Debug, Clone, Serialize)]
pub struct ServerReading {
    /// What it says of itself.
    pub facts: ServerFacts,
    /// The server's clock less ours, as far as the round trip lets it be told.
    pub skew: SignedDuration,
    /// From the question to its answer.
    pub round_trip: SignedDuration,
}

/// Asks the server once.
///
/// # Errors
/// Those of the statement.
pub async fn server(client: &Client) -> Result<ServerReading, QueryError> {
    let statement = client.prepare(statements::SERVER).await?;
    let asked_at = Timestamp::now();
    let row = client.query_one(&statement, &[]).await?;
    let round_trip = Timestamp::now().duration_since(asked_at);
    let facts = ServerFacts::from_row(&row)?;
    Ok(ServerReading {
        skew: facts.clock.duration_since(asked_at) - round_trip / 2,
        round_trip,
        facts,
    })
}

zerodb_hooks_store::row! {
    /// What the whole server has only so much of.
    #[derive(Debug, Clone, Serialize)]
    pub struct ServerLimits {
        /// Connections in use.
        pub used: i64,
        /// Connections that ordinary roles may have.
        pub usable: i64,
        /// The share of the queue of notifications that is taken.
        pub queue_usage: f64,
        /// Whether this role sees the transactions of others.
        pub sees_others: bool,
    }
}

/// Connections and the queue of notifications.
///
/// # Errors
/// Those of the statement.
pub async fn server_limits(client: &Client) -> Result<ServerLimits, QueryError> {
    ask::one(client, statements::LIMITS, &[]).await
}

zerodb_hooks_store::row! {
    /// What keeps dead rows from being vacuumed.
    #[derive(Debug, Clone, Serialize)]
    pub struct VacuumHolder {
        /// `session`, `prepared` or `slot`.
        pub kind: String,
        /// Which one, for a person.
        pub name: String,
        /// Since it holds; `None` for a slot.
        pub age_seconds: Option<f64>,
    }
}

/// Old transactions, prepared transactions and replication slots, the oldest first. `age` is an interval as SQL writes
/// it.
///
/// # Errors
/// Those of the statement.
pub async fn vacuum_holders(client: &Client, age: &str) -> Result<Vec<VacuumHolder>, QueryError> {
    ask::all(client, statements::VACUUM_HOLDERS, &[&age]).await
}
