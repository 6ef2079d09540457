//! Whether a pooler on the way takes away what a worker needs of a session. Takes two connections, and leaves both as
//! they were.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, SimpleQueryMessage};

use crate::{QueryError, statements};

/// Whether two connections are two backends, each with what it was told. A pooler in transaction mode lends one backend
/// to several; since it lends the last one returned, only a second connection that holds a backend brings it to light.
///
/// # Errors
/// Those of the statements; a standby refuses LISTEN.
pub async fn keeps_sessions(client: &Client, other: &Client) -> Result<bool, QueryError> {
    client.batch_execute("LISTEN zerodb_hooks_doctor").await?;
    let first = Backend::of(client).await?;
    other.batch_execute("BEGIN").await?;
    let meanwhile = async { Ok::<_, Error>((Backend::of(other).await?, Backend::of(client).await?)) }.await;
    other.batch_execute("ROLLBACK").await?;
    let (held, second) = meanwhile?;
    client.batch_execute("UNLISTEN zerodb_hooks_doctor").await?;
    Ok(held.process != first.process && second.process == first.process && second.listens)
}

/// Whether a statement prepared in one transaction is there in the next. Asks while the other connection holds a
/// backend.
///
/// # Errors
/// Those of the statements, but that a prepared one is not there.
pub async fn keeps_prepared_statements(client: &Client, other: &Client) -> Result<bool, QueryError> {
    let statement = client.prepare(statements::BACKEND).await?;
    other.batch_execute("BEGIN; SELECT 1").await?;
    let used = client.query_one(&statement, &[]).await;
    let again = client.prepare(statements::BACKEND).await;
    other.batch_execute("ROLLBACK").await?;
    match used.map(drop).and(again.map(drop)) {
        Ok(()) => Ok(true),
        Err(error) => match error.code() {
            Some(&SqlState::INVALID_SQL_STATEMENT_NAME | &SqlState::DUPLICATE_PSTATEMENT) => Ok(false),
            _ => Err(error.into()),
        },
    }
}

#[derive(Default)]
struct Backend {
    process: String,
    listens: bool,
}

impl Backend {
    /// By simple query, which every pooler passes on.
    async fn of(client: &Client) -> Result<Self, Error> {
        for message in client.simple_query(statements::BACKEND).await? {
            if let SimpleQueryMessage::Row(row) = message {
                return Ok(Self {
                    process: row.try_get("pid")?.unwrap_or_default().to_owned(),
                    listens: row.try_get("listening")? == Some("t"),
                });
            }
        }
        Ok(Self::default())
    }
}
