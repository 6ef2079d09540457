//! Sessions for the functions of `sql` hooks. Each runs the functions of one owner as long as it lives: some things
//! no server can be told to forget, so no other role's function gets it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deadpool_postgres::ClientWrapper;

use super::connect::Target;
use super::error::StoreError;

/// Connections that are kept for the next call.
const IDLE: usize = 2;

/// Idle sessions, each with the owner whose functions it has run.
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

    /// An idle session of this owner, or a new one. It has run nobody else's functions.
    ///
    /// # Errors
    /// `Unavailable` when the server cannot be reached, else what the server says.
    pub async fn get(&self, owner: Option<&Arc<str>>) -> Result<ClientWrapper, StoreError> {
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

    /// Keeps a session for its owner's next function, and drops the one that was kept first where there are too many.
    pub fn keep(&self, owner: &Arc<str>, session: ClientWrapper) {
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
