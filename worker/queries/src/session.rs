//! A connection for reads. It decides how long one waits for the server, and which plans a statement may have.

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::Client;
use uuid::Uuid;
use zerodb_hooks_store::connect::Target;
use zerodb_hooks_store::{Notices, StoreError};

use crate::{QueryError, ask, statements};

/// How long a server may take to let one in; without it a packet that a firewall drops would look like a hang.
const PATIENCE: Duration = Duration::from_secs(10);
/// The worker's sessions forbid plans that only reports have, and a role may have settings of the worker's.
const REPORT_PLANS: &str = "SET enable_seqscan = on; SET plan_cache_mode = auto";

/// Why there is no connection, and to where. The password of the URL is never in it.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect to {target}: {cause}")]
pub struct ConnectError {
    /// Hosts, database and user; "the database" for a URL that does not parse.
    pub target: String,
    /// What was in the way.
    #[source]
    pub cause: NoConnection,
}

/// What keeps one from a connection.
#[derive(Debug, thiserror::Error)]
pub enum NoConnection {
    /// The URL is wrong, the server cannot be reached, or it refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server took longer than that.
    #[error("no answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// It let one in and then refused the session's settings.
    #[error(transparent)]
    Settings(#[from] QueryError),
}

/// Connects, under a name that Postgres shows as the application's.
///
/// # Errors
/// Within ten seconds.
pub async fn connect(url: &str, application_name: &str) -> Result<Client, ConnectError> {
    let (client, _unheard) = connect_and_hear(url, application_name).await?;
    Ok(client)
}

/// The same, and what the server says beside its answers.
///
/// # Errors
/// As for `connect`.
pub async fn connect_and_hear(url: &str, application_name: &str) -> Result<(Client, Notices), ConnectError> {
    let target = match Target::parse(url, application_name) {
        Ok(target) => target,
        Err(error) => {
            return Err(ConnectError {
                target: "the database".into(),
                cause: error.into(),
            });
        }
    };
    open(&target).await.map_err(|cause| ConnectError {
        target: target.description(),
        cause,
    })
}

async fn open(target: &Target) -> Result<(Client, Notices), NoConnection> {
    let connecting = tokio::time::timeout(PATIENCE, target.client_and_notices());
    let (client, notices) = connecting.await.map_err(|_| NoConnection::Silent(PATIENCE))??;
    client
        .batch_execute(REPORT_PLANS)
        .await
        .map_err(QueryError::from)?;
    Ok((client, notices))
}

/// Lets the session act for a user, where one is named, and gives each of its statements an end. Returns the server's
/// time.
///
/// # Errors
/// Those of the statement.
pub async fn act_for(client: &Client, user: Option<Uuid>, timeout: &str) -> Result<Timestamp, QueryError> {
    let user = user.map(|user| user.to_string());
    ask::value(client, statements::ACT_FOR, &[&user, &timeout], "now").await
}
