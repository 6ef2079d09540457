//! Calling a hook's SQL function. A session runs the functions of one owner as long as it lives, and between two calls it forgets
//! everything: what a function leaves behind is seen by no other call, and what no server can be told to forget by no other role.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool_postgres::ClientWrapper;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::connect::Target;
use super::fenced::{Fenced, Held};
use super::statements::CALL_FUNCTION;
use super::{Store, StoreError};
use zerodb_hooks_delivery::event::EventId;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_turns::Shares;

/// Turns of functions, each of which holds a connection as long as it runs.
pub const FUNCTION_TURNS: Shares = Shares {
    all: 8,
    of_owner: 4,
    of_tenant: 2,
    kept: 2,
};
/// Connections that are kept for the next call.
const IDLE: usize = 2;
/// How long the worker waits for an answer after the server should have cancelled the function.
const GRACE: Duration = Duration::from_millis(500);

/// The sessions that wait for the next function of their owner.
pub(super) struct Sessions {
    target: Target,
    idle: Mutex<Vec<(Arc<str>, ClientWrapper)>>,
}

impl Sessions {
    pub fn new(target: Target) -> Self {
        Self {
            target,
            idle: Mutex::default(),
        }
    }

    /// A session that has run nobody else's functions.
    async fn get(&self, owner: Option<&Arc<str>>) -> Result<ClientWrapper, StoreError> {
        if let Some(owner) = owner
            && let Some(session) = self.idle_of(owner)
        {
            return Ok(session);
        }
        let (client, driver) = self.target.connect().await?;
        Ok(ClientWrapper::new(client, driver))
    }

    fn idle_of(&self, owner: &Arc<str>) -> Option<ClientWrapper> {
        let mut idle = self.lock();
        idle.retain(|(_, session)| !session.is_closed());
        let at = idle.iter().position(|(of, _)| of == owner)?;
        Some(idle.remove(at).1)
    }

    /// Keeps a session for its owner's next function, in the place of the one that has waited longest.
    fn keep(&self, owner: &Arc<str>, session: ClientWrapper) {
        let mut idle = self.lock();
        if idle.len() >= IDLE {
            idle.remove(0);
        }
        idle.push((Arc::clone(owner), session));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Arc<str>, ClientWrapper)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Runs the function of a `sql` hook with an event of the log as its owner, in a transaction of its own, within the hook's deadline. The session is such as
    /// the database gives to anybody, but for that the transaction may write.
    ///
    /// # Errors
    /// `Unavailable` when it could not be begun, or the server went down under it: nothing was tried. Else what the function or its
    /// COMMIT raises; also that the connection was cut, or that the function did not end, after which it may have been committed.
    /// Safe to cancel: the session is then ended.
    pub async fn call_function(&self, hook: &Hook, event: EventId) -> Result<(), StoreError> {
        let timeout = hook.policy.timeout;
        let session = tokio::time::timeout(timeout, self.functions.get(hook.owner.as_ref()));
        let session = session
            .await
            .map_err(|_elapsed| StoreError::no_connection("no connection within the hook's deadline"))?
            .map_err(StoreError::untried)?;
        let fenced = Fenced::new(Held::Own(session), self.ending());
        let called = tokio::time::timeout(timeout + GRACE, run(&fenced, hook.id, event, timeout));
        let (result, is_clean) = match called.await {
            Ok(called) => called,
            Err(_elapsed) if fenced.has_begun() => return Err(StoreError::no_end(timeout + GRACE)),
            Err(_elapsed) => return Err(StoreError::no_connection("the server does not answer")),
        };
        if is_clean
            && let Some(Held::Own(session)) = fenced.release()
            && let Some(owner) = &hook.owner
        {
            self.functions.keep(owner, session);
        }
        result
    }
}

/// Runs it, and says whether the session is as new after it.
async fn run(
    fenced: &Fenced,
    hook: Uuid,
    event: EventId,
    timeout: Duration,
) -> (Result<(), StoreError>, bool) {
    let Some(client) = fenced.client() else {
        return (Err(StoreError::no_connection("the connection ended")), false);
    };
    let begin = format!(
        "BEGIN READ WRITE; SET LOCAL row_security = on; SET LOCAL statement_timeout = {}; SELECT CASE WHEN pg_catalog.current_setting('transaction_timeout', true)
             IS NOT NULL THEN pg_catalog.set_config('transaction_timeout', '0', true) END",
        timeout.as_millis().min(i32::MAX as u128),
    );
    let event = event.to_string();
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&hook, Type::UUID), (&event, Type::TEXT)];
    // Sent at once; where the function fails, COMMIT rolls back.
    let (begun, called, committed, forgotten) = futures_util::join!(
        fenced.begin(client, &begin),
        client.query_typed(CALL_FUNCTION, &parameters),
        client.batch_execute("COMMIT"),
        client.batch_execute("DISCARD ALL"),
    );
    let result = match (begun, called, committed) {
        (Err(error), ..) => Err(StoreError::no_connection(error)),
        (Ok(()), Err(error), _) | (Ok(()), Ok(_), Err(error)) => Err(StoreError::of_hook_function(&error)),
        (Ok(()), Ok(_), Ok(())) => Ok(()),
    };
    (result, forgotten.is_ok())
}
