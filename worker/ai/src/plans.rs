//! The server's plans for a hook and a table, kept by the hook's version, so that the server is asked once.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use zerodb_hooks_delivery::event::Event;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::{Context, verdict};

/// Plans kept before all are forgotten.
const KEPT: usize = 10_000;

/// A watched table and one of its event types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Watched<'a> {
    /// The table; 0 for an event that was emitted, which is about no row.
    pub relid: u32,
    pub event_type: &'a str,
}

impl<'a> Watched<'a> {
    pub fn of(event: &'a Event) -> Self {
        Self {
            relid: event.relid,
            event_type: &event.event_type,
        }
    }
}

#[derive(PartialEq, Eq, Hash)]
struct PlanKey {
    hook: Uuid,
    version: i64,
    relid: u32,
    event_type: String,
}

impl PlanKey {
    fn of(hook: &Hook, watched: Watched<'_>) -> Self {
        Self {
            hook: hook.id,
            version: hook.version,
            relid: watched.relid,
            event_type: watched.event_type.to_owned(),
        }
    }
}

pub struct Plans<P>(Mutex<HashMap<PlanKey, Arc<P>>>);

impl<P> Default for Plans<P> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<P: DeserializeOwned> Plans<P> {
    /// The plan of the hook for a table and an event type of it: the known one, else the answer of
    /// `zerodb._do_<action>` to `args`.
    ///
    /// # Errors
    /// Permanent, when the event is about no row; deferred, when the hook and the table do not fit.
    pub async fn get(
        &self,
        context: &Context,
        hook: &Hook,
        watched: Watched<'_>,
        action: &str,
        args: &Value,
    ) -> Result<Arc<P>, HandlerError> {
        if watched.relid == 0 {
            return Err(HandlerError::permanent(
                "no_row: an event that was emitted is about no row; watch the table instead",
            ));
        }
        let key = PlanKey::of(hook, watched);
        if let Some(plan) = self.0.lock().get(&key).cloned() {
            return Ok(plan);
        }
        let found = context
            .store
            .as_owner(hook.id, watched.relid, action, args, None)
            .await;
        let found = found.map_err(|error| verdict::of_table(&error))?;
        let plan = serde_json::from_value(found).map_err(|error| verdict::of_answer(&error))?;
        let plan = Arc::new(plan);
        let mut plans = self.0.lock();
        if plans.len() >= KEPT {
            plans.clear();
        }
        plans.insert(key, Arc::clone(&plan));
        Ok(plan)
    }

    /// Lets the server be asked again, because the table may have changed.
    pub fn forget(&self, hook: &Hook, watched: Watched<'_>) {
        self.0.lock().remove(&PlanKey::of(hook, watched));
    }
}
