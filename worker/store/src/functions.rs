//! Calling a hook's SQL function: in a transaction of its own, within the hook's deadline. Between two calls a
//! session forgets everything, so that what a function leaves behind is seen by no other call.

use std::time::Duration;

use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::error::StoreError;
use super::fenced::{Fenced, Session};
use super::statements::CALL_FUNCTION;
use super::store::Store;
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
/// Time for an answer after the server should have cancelled the function.
const GRACE: Duration = Duration::from_millis(500);

impl Store {
    /// Runs the function of a `sql` hook with an event of the log as the hook's owner, in a transaction of its own,
    /// within the hook's deadline. The session has the settings that the database gives to anybody, but that the
    /// transaction may write.
    ///
    /// # Errors
    /// `Unavailable` when it could not be begun, or the server went down under it: nothing was tried. Else what the
    /// function or its COMMIT raises; also that the connection was cut, or that the function did not end, after which
    /// it may have been committed. Safe to cancel: the session is then ended.
    pub async fn call_function(&self, hook: &Hook, event: EventId) -> Result<(), StoreError> {
        let timeout = hook.policy.timeout;
        let session = tokio::time::timeout(timeout, self.functions().get(hook.owner.as_ref()));
        let session = session
            .await
            .map_err(|_elapsed| StoreError::no_connection("no connection within the hook's deadline"))?
            .map_err(StoreError::untried)?;
        let fenced = Fenced::new(Session::Own(session), self.ending());
        let called = tokio::time::timeout(timeout + GRACE, run(&fenced, hook.id, event, timeout));
        let (result, is_clean) = match called.await {
            Ok(called) => called,
            Err(_elapsed) if fenced.has_begun() => return Err(StoreError::no_end(timeout + GRACE)),
            Err(_elapsed) => return Err(StoreError::no_connection("the server does not answer")),
        };
        if is_clean
            && let Some(Session::Own(session)) = fenced.release()
            && let Some(owner) = &hook.owner
        {
            self.functions().keep(owner, session);
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
