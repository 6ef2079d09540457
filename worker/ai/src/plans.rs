//! What the server found out about a table for a hook, kept by the hook's version, so that it is asked once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::{Context, verdict};

/// Plans kept before all are forgotten.
const KEPT: usize = 10_000;

/// A version of a hook, a table and an event type.
type Key = (Uuid, i64, u32, String);

pub struct Plans<P>(Mutex<HashMap<Key, Arc<P>>>);

impl<P> Default for Plans<P> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<P: DeserializeOwned> Plans<P> {
    /// The plan of the hook for a table and an event type of it: the known one, else the answer of `zerodb._do_<action>` to `question`.
    ///
    /// # Errors
    /// Permanent, when the event is about no row; deferred, when the hook and the table do not fit.
    pub async fn get(
        &self,
        context: &Context,
        hook: &Hook,
        of: (u32, &str),
        action: &str,
        question: &Value,
    ) -> Result<Arc<P>, HandlerError> {
        if of.0 == 0 {
            return Err(HandlerError::permanent(
                "no_row: an event that was emitted is about no row; watch the table instead",
            ));
        }
        let key = key(hook, of);
        if let Some(plan) = self.lock().get(&key).cloned() {
            return Ok(plan);
        }
        let found = context
            .store
            .as_owner(hook.id, of.0, action, question, None)
            .await;
        let found = found.map_err(|error| verdict::of_table(&error))?;
        let plan = serde_json::from_value(found).map_err(|error| verdict::of_answer(&error))?;
        let plan = Arc::new(plan);
        let mut plans = self.lock();
        if plans.len() >= KEPT {
            plans.clear();
        }
        plans.insert(key, Arc::clone(&plan));
        Ok(plan)
    }

    /// To ask again, when the table no longer is what it was.
    pub fn forget(&self, hook: &Hook, of: (u32, &str)) {
        self.lock().remove(&key(hook, of));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<P>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(hook: &Hook, (relid, event_type): (u32, &str)) -> Key {
    (hook.id, hook.version, relid, event_type.to_owned())
}
