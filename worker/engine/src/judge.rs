//! Decides the pairs that the dispatcher has left open: whether an event is what a hook's "when" asks for. Each hook
//! by itself and with a time limit; tenants take turns by the time that their hooks have taken. It makes deliveries
//! and never runs one.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::outage::Outage;
use crate::signals::Signals;
use zerodb_hooks_store::{Store, StoreError, Undecided};

/// Candidates decided in one statement, at first and at most.
const BATCH: usize = 256;
/// Time limit of such a statement.
const LIMIT: Duration = Duration::from_millis(500);
/// A single candidate that is not decided in it has these chances, after which its hook is switched off.
const CHANCES: [Duration; 3] = [LIMIT, Duration::from_secs(1), Duration::from_secs(2)];
/// Time for which a list of hooks is good.
const LIST: Duration = Duration::from_millis(200);
/// Looks without being told: for what a lost worker has left, and for hooks that are active again.
const EVERY: Duration = Duration::from_secs(1);
/// Time for which a hook is left alone that failed otherwise.
const PAUSE: Duration = Duration::from_secs(10);

/// The size and the time limit of the questions about one hook's candidates. Pure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct HookPace {
    version: i64,
    most: usize,
    /// Chances that a single candidate has had.
    failed: usize,
    not_before: Option<Instant>,
}

impl HookPace {
    fn new(version: i64) -> Self {
        Self {
            version,
            most: BATCH,
            failed: 0,
            not_before: None,
        }
    }

    fn limit(&self) -> Duration {
        CHANCES[self.failed.min(CHANCES.len() - 1)]
    }

    /// Notes that the limit was passed; true when the hook has had its chances.
    fn too_slow(&mut self) -> bool {
        if self.most > 1 {
            self.most = (self.most / 8).max(1);
            return false;
        }
        self.failed += 1;
        self.failed >= CHANCES.len()
    }

    fn decided(&mut self) {
        self.failed = 0;
        self.most = (self.most * 2).min(BATCH);
    }
}

pub struct Judge {
    store: Store,
    signals: Signals,
    stop: CancellationToken,
    paces: HashMap<Uuid, HookPace>,
    used: UsedTime,
}

impl Judge {
    pub fn new(store: Store, signals: Signals, stop: CancellationToken) -> Self {
        Self {
            store,
            signals,
            stop,
            paces: HashMap::new(),
            used: UsedTime::default(),
        }
    }

    /// Decides until the worker stops.
    pub async fn run(mut self) {
        let mut outage = Outage::default();
        while !self.stop.is_cancelled() {
            match self.turn().await {
                Ok(true) => outage.over(),
                Ok(false) => {
                    outage.over();
                    tokio::select! {
                        () = self.signals.undecided.notified() => {}
                        () = tokio::time::sleep(EVERY) => {}
                        () = self.stop.cancelled() => {}
                    }
                }
                Err(error) => outage.wait(&error, &self.stop).await,
            }
        }
    }

    /// Goes through the hooks that have candidates, for as long as their list is good. False when there are none.
    async fn turn(&mut self) -> Result<bool, StoreError> {
        let mut waiting = self.store.bounded(self.store.undecided()).await?;
        let listed = Instant::now();
        waiting.retain(|hook| {
            let pace = self.paces.get(&hook.hook_id);
            pace.is_none_or(|pace| pace.not_before.is_none_or(|at| at <= listed))
        });
        if waiting.is_empty() {
            self.used.forget();
            return Ok(false);
        }
        while let Some(next) = self.used.next(&waiting) {
            let hook = waiting.swap_remove(next);
            let since = Instant::now();
            let judged = self.judge(&hook).await;
            self.used.add(hook.user_id, since.elapsed());
            judged?;
            if listed.elapsed() > LIST || self.stop.is_cancelled() {
                break;
            }
        }
        Ok(true)
    }

    async fn judge(&mut self, hook: &Undecided) -> Result<(), StoreError> {
        let pace = self
            .paces
            .entry(hook.hook_id)
            .or_insert_with(|| HookPace::new(hook.hook_version));
        if pace.version != hook.hook_version {
            *pace = HookPace::new(hook.hook_version);
        }
        let judged = self.store.judge(hook, pace.most, pace.limit());
        match self.store.bounded(judged).await {
            Ok(judged) => {
                pace.decided();
                if judged.decided == 0 {
                    // All of them are another worker's.
                    pace.not_before = Some(Instant::now() + LIST);
                }
                if judged.made > 0 {
                    self.signals.requeued.notify_one();
                }
                Ok(())
            }
            Err(error) if error.is_cancelled() => {
                if pace.too_slow() {
                    pace.not_before = Some(Instant::now() + PAUSE);
                    self.switch_off(hook).await?;
                }
                Ok(())
            }
            Err(error) if error.is_passing() => Err(error),
            Err(error) => {
                pace.not_before = Some(Instant::now() + PAUSE);
                tracing::error!(hook.id = %hook.hook_id, %error, "the condition of a hook cannot be evaluated");
                Ok(())
            }
        }
    }

    async fn switch_off(&self, hook: &Undecided) -> Result<(), StoreError> {
        let reason = format!(
            "\"when\" or \"order_by\" did not end within {} s over one event; make it simpler and switch the hook on \
             again",
            CHANCES[CHANCES.len() - 1].as_secs()
        );
        match self
            .store
            .bounded(self.store.disable_hook(hook.hook_id, hook.hook_version, &reason))
            .await
        {
            Ok(true) => tracing::warn!(hook.id = %hook.hook_id, reason, "switched a hook off"),
            Ok(false) => {}
            Err(error) if error.is_passing() => return Err(error),
            Err(error) => {
                tracing::error!(
                    hook.id = %hook.hook_id,
                    %error,
                    "a hook whose condition does not end could not be switched off"
                );
            }
        }
        Ok(())
    }
}

/// The time that the hooks of each tenant took since there was last nothing to decide. Pure.
#[derive(Default)]
struct UsedTime(HashMap<Uuid, Duration>);

impl UsedTime {
    fn add(&mut self, tenant: Uuid, time: Duration) {
        *self.0.entry(tenant).or_default() += time;
    }

    fn forget(&mut self) {
        self.0.clear();
    }

    /// The index of a hook of the tenant whose hooks took least.
    fn next(&self, waiting: &[Undecided]) -> Option<usize> {
        let used = |hook: &Undecided| self.0.get(&hook.user_id).copied().unwrap_or_default();
        (0..waiting.len()).min_by_key(|index| used(&waiting[*index]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(id: u128, user: u128) -> Undecided {
        Undecided {
            hook_id: Uuid::from_u128(id),
            hook_version: 1,
            user_id: Uuid::from_u128(user),
            ordered: false,
        }
    }

    #[test]
    fn a_slow_condition_is_asked_about_one_event_before_it_counts() {
        let mut pace = HookPace::new(1);
        let mut asked = Vec::new();
        while !pace.too_slow() {
            asked.push((pace.most, pace.limit()));
        }
        assert_eq!(
            asked[..3].iter().map(|(most, _)| *most).collect::<Vec<_>>(),
            [32, 4, 1]
        );
        assert_eq!(
            asked[2..].iter().map(|(_, limit)| *limit).collect::<Vec<_>>(),
            CHANCES
        );
        pace.decided();
        assert_eq!((pace.most, pace.failed), (2, 0));
    }

    #[test]
    fn the_tenant_who_used_least_is_next() {
        let mut used = UsedTime::default();
        used.add(Uuid::from_u128(1), Duration::from_secs(3));
        let waiting = [hook(10, 1), hook(11, 1), hook(12, 2)];
        assert_eq!(used.next(&waiting), Some(2));
        used.add(Uuid::from_u128(2), Duration::from_secs(4));
        assert_eq!(used.next(&waiting), Some(0));
        assert_eq!(used.next(&[]), None);
    }
}
