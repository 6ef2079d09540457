//! A session while users' code runs in it. One that does not answer in time is never used again: its statement is
//! cancelled, the session ended from another connection, for code may refuse to be cancelled, and the connection
//! dropped.

use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Object, Pool};
use tokio_postgres::{Error, SimpleQueryMessage};

use super::connect::Tls;
use super::statements::TERMINATE_SESSION;

/// The time that each step of ending a session may take.
const ENDING: Duration = Duration::from_secs(10);

/// A session, by where it comes from.
pub(super) enum Session {
    Pooled(Object),
    Own(ClientWrapper),
}

/// The means to end a session from outside.
#[derive(Clone)]
pub(super) struct Ending {
    pub tls: Tls,
    pub pool: Pool,
}

pub(super) struct Fenced {
    /// `None` once it is given back.
    session: Option<Session>,
    ending: Ending,
    /// The server's process; 0 before it has begun the transaction.
    process: AtomicI32,
}

impl Fenced {
    pub fn new(session: Session, ending: Ending) -> Self {
        Self {
            session: Some(session),
            ending,
            process: AtomicI32::new(0),
        }
    }

    /// The connection; `None` when it has ended.
    pub fn client(&self) -> Option<&ClientWrapper> {
        match &self.session {
            Some(Session::Pooled(object)) => Some(object),
            Some(Session::Own(client)) => Some(client),
            None => None,
        }
    }

    /// Begins a transaction with these statements. Its answer shows that the session lives: whatever happens from
    /// then on, users' code may have run.
    pub async fn begin(&self, client: &ClientWrapper, statements: &str) -> Result<(), Error> {
        let statements = format!("{statements}; SELECT pg_catalog.pg_backend_pid()");
        for message in client.simple_query(&statements).await? {
            if let SimpleQueryMessage::Row(row) = message
                && let Some(process) = row.get(row.len().saturating_sub(1))
            {
                self.process
                    .store(process.parse().unwrap_or(0), Ordering::Release);
            }
        }
        Ok(())
    }

    pub fn has_begun(&self) -> bool {
        self.process.load(Ordering::Acquire) != 0
    }

    /// The session has answered and is as it was before: it may be used again.
    pub fn release(mut self) -> Option<Session> {
        self.session.take()
    }
}

impl Drop for Fenced {
    fn drop(&mut self) {
        let client = match self.session.take() {
            Some(Session::Pooled(object)) => Object::take(object),
            Some(Session::Own(client)) => client,
            None => return,
        };
        if client.is_closed() {
            return;
        }
        let (ending, process) = (self.ending.clone(), self.process.load(Ordering::Acquire));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(end(client, ending, process));
        }
    }
}

/// Ends a session. The connection is kept until then, so that the process is no other one.
async fn end(client: ClientWrapper, ending: Ending, process: i32) {
    let token = client.cancel_token();
    let cancelled = token.cancel_query(ending.tls);
    if !matches!(tokio::time::timeout(ENDING, cancelled).await, Ok(Ok(()))) {
        tracing::debug!("a statement could not be cancelled");
    }
    if process == 0 {
        return;
    }
    let terminated = async {
        let connection = ending.pool.get().await.ok()?;
        let ended = connection.query_one(TERMINATE_SESSION, &[&process]).await;
        ended.ok()?.try_get::<_, bool>(0).ok()
    };
    match tokio::time::timeout(ENDING, terminated).await {
        Ok(Some(_)) => tracing::debug!(session.process = process, "ended a session that did not answer"),
        _ => tracing::warn!(
            session.process = process,
            "a session that does not answer could not be ended; an administrator can: \
             SELECT pg_terminate_backend(<process>)"
        ),
    }
    drop(client);
}
