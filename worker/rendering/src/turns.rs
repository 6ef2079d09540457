//! Shares the renderings out among tenants, and gives up the templates of a hook that take too much again and again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use zerodb_hooks_delivery::hook::Hook;

/// Renderings at once.
const AT_ONCE: usize = 3;
/// Hooks with a strike, and tenants with a turn, that are remembered.
const KEPT: usize = 4096;
/// The number of times that a hook's template may take too much before this worker tries it no more.
const STRIKES: u32 = 3;
/// A rendering that was still going on after this time, when its deadline came, is a strike too.
const LONG: Duration = Duration::from_millis(250);

/// One rendering at once for each tenant, so that one tenant's templates wait for each other and not for another's.
pub struct RenderTurns {
    all: Arc<Semaphore>,
    tenants: Mutex<HashMap<Option<Uuid>, Arc<Semaphore>>>,
}

/// The right to render; it is given back when it is dropped.
pub struct RenderTurn {
    _of_tenant: Option<OwnedSemaphorePermit>,
    _of_worker: Option<OwnedSemaphorePermit>,
}

impl Default for RenderTurns {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(AT_ONCE)),
            tenants: Mutex::default(),
        }
    }
}

impl RenderTurns {
    /// Waits for the tenant's turn, then for the worker's. Safe to cancel.
    pub async fn of(&self, tenant: Option<Uuid>) -> RenderTurn {
        let of_tenant = {
            let mut tenants = self.tenants.lock();
            if tenants.len() >= KEPT {
                tenants.retain(|_, turn| Arc::strong_count(turn) > 1);
            }
            let turn = tenants
                .entry(tenant)
                .or_insert_with(|| Arc::new(Semaphore::new(1)));
            Arc::clone(turn)
        };
        // Neither is ever closed.
        RenderTurn {
            _of_tenant: of_tenant.acquire_owned().await.ok(),
            _of_worker: Arc::clone(&self.all).acquire_owned().await.ok(),
        }
    }
}

/// Templates that took too much, by hook and version: a hook that was changed begins anew.
#[derive(Default)]
pub struct Strikes(Mutex<HashMap<(Uuid, i64), u32>>);

impl Strikes {
    pub fn is_out(&self, hook: &Hook) -> bool {
        self.0
            .lock()
            .get(&(hook.id, hook.version))
            .is_some_and(|strikes| *strikes >= STRIKES)
    }

    /// Watches a rendering.
    pub fn watch(&self, hook: &Hook) -> StrikeWatch<'_> {
        StrikeWatch {
            strikes: self,
            version: (hook.id, hook.version),
            begun: Instant::now(),
            too_much: None,
        }
    }

    fn add(&self, version: (Uuid, i64)) {
        let mut strikes = self.0.lock();
        if strikes.len() >= KEPT {
            strikes.clear();
        }
        *strikes.entry(version).or_default() += 1;
    }
}

/// Counts a rendering that took too much, by its end or because its deadline came first.
pub struct StrikeWatch<'a> {
    strikes: &'a Strikes,
    version: (Uuid, i64),
    begun: Instant,
    /// `None` until it has ended.
    pub too_much: Option<bool>,
}

impl Drop for StrikeWatch<'_> {
    fn drop(&mut self) {
        if self.too_much.unwrap_or_else(|| self.begun.elapsed() >= LONG) {
            self.strikes.add(self.version);
        }
    }
}
