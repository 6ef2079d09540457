//! The figures of the database as they were last read. They are there while this worker is the one that reads them, and
//! gone otherwise, so that a sum over workers counts none twice and none stays for ever.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use uuid::Uuid;

use crate::hook_labels::HookLabels;
use crate::labels::{NO_LABELS, NoLabels, OfHook, OfProvider, State, Table, Word};
use crate::numbers::{FloatGauge, now};
use crate::registering::register;

/// What was read at one time.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub undispatched: i64,
    pub undecided: i64,
    pub due: i64,
    pub not_due: i64,
    pub running: i64,
    pub blocked: i64,
    pub undispatched_age_seconds: f64,
    pub due_age_seconds: f64,
    pub running_age_seconds: f64,
    pub hooks: Vec<HookBacklog>,
    pub active_hooks: i64,
    pub switched_off_hooks: i64,
    pub workers_alive: i64,
    pub workers_expired: i64,
    /// By the table's name.
    pub table_bytes: Vec<(String, i64)>,
    /// By the provider's name.
    pub endpoints: Vec<(String, bool)>,
    pub budgets: i64,
    pub budgets_exhausted: i64,
}

/// What is due of one hook.
#[derive(Clone, Debug)]
pub struct HookBacklog {
    pub user_id: Uuid,
    pub name: String,
    pub due: i64,
}

/// The gauges that show it.
pub struct SampledGauges {
    hooks: Arc<Mutex<HookLabels>>,
    backlog: Family<State, FloatGauge>,
    ages: Family<State, FloatGauge>,
    hook_backlog: Family<OfHook, FloatGauge>,
    workers: Family<State, FloatGauge>,
    tables: Family<Table, FloatGauge>,
    endpoints: Family<OfProvider, FloatGauge>,
    budgets: Family<State, FloatGauge>,
    active: Family<NoLabels, FloatGauge>,
    switched_off: Family<NoLabels, FloatGauge>,
    at: Family<NoLabels, FloatGauge>,
    took: Family<NoLabels, FloatGauge>,
    /// Held while a sample is put in place of another one, and while a text is written.
    pub(crate) whole: Mutex<()>,
}

impl SampledGauges {
    pub(crate) fn new(hooks: Arc<Mutex<HookLabels>>) -> Self {
        Self {
            hooks,
            backlog: Family::default(),
            ages: Family::default(),
            hook_backlog: Family::default(),
            workers: Family::default(),
            tables: Family::default(),
            endpoints: Family::default(),
            budgets: Family::default(),
            active: Family::default(),
            switched_off: Family::default(),
            at: Family::default(),
            took: Family::default(),
            whole: Mutex::new(()),
        }
    }

    pub(crate) fn register(&self, to: &mut Registry) {
        register(to, "zerodb_hooks_backlog", self.backlog.clone());
        register(to, "zerodb_hooks_backlog_oldest_age_seconds", self.ages.clone());
        register(to, "zerodb_hooks_hook_backlog", self.hook_backlog.clone());
        register(to, "zerodb_hooks_active_hooks", self.active.clone());
        register(to, "zerodb_hooks_switched_off_hooks", self.switched_off.clone());
        register(to, "zerodb_hooks_workers", self.workers.clone());
        register(to, "zerodb_hooks_table_bytes", self.tables.clone());
        register(to, "zerodb_hooks_model_endpoint_paused", self.endpoints.clone());
        register(to, "zerodb_hooks_budgets", self.budgets.clone());
        register(to, "zerodb_hooks_sampled_timestamp_seconds", self.at.clone());
        register(to, "zerodb_hooks_sample_duration_seconds", self.took.clone());
    }

    /// Puts a sample that was read just now in the place of the last one.
    pub fn set(&self, sample: &Sample, took: Duration) {
        let _whole = self.whole.lock();
        self.forget();
        by_state(
            &self.backlog,
            [
                ("undispatched", sample.undispatched as f64),
                ("undecided", sample.undecided as f64),
                ("due", sample.due as f64),
                ("not_due", sample.not_due as f64),
                ("running", sample.running as f64),
                ("blocked", sample.blocked as f64),
            ],
        );
        by_state(
            &self.ages,
            [
                ("undispatched", sample.undispatched_age_seconds),
                ("due", sample.due_age_seconds),
                ("running", sample.running_age_seconds),
            ],
        );
        by_state(
            &self.workers,
            [
                ("alive", sample.workers_alive as f64),
                ("expired", sample.workers_expired as f64),
            ],
        );
        by_state(
            &self.budgets,
            [
                ("set", sample.budgets as f64),
                ("exhausted", sample.budgets_exhausted as f64),
            ],
        );
        self.set_named(sample);
        self.active
            .get_or_create(&NO_LABELS)
            .set(sample.active_hooks as f64);
        self.switched_off
            .get_or_create(&NO_LABELS)
            .set(sample.switched_off_hooks as f64);
        self.at.get_or_create(&NO_LABELS).set(now());
        self.took.get_or_create(&NO_LABELS).set(took.as_secs_f64());
    }

    fn set_named(&self, sample: &Sample) {
        for hook in &sample.hooks {
            let label = self.hooks.lock().of(hook.user_id, &hook.name);
            self.hook_backlog
                .get_or_create(&OfHook::of(&label))
                .inc_by(hook.due as f64);
        }
        for (table, bytes) in &sample.table_bytes {
            let label = Table {
                table: table.as_str().into(),
            };
            self.tables.get_or_create(&label).set(*bytes as f64);
        }
        for (provider, paused) in &sample.endpoints {
            let label = OfProvider {
                provider: provider.as_str().into(),
            };
            self.endpoints
                .get_or_create(&label)
                .set(if *paused { 1.0 } else { 0.0 });
        }
    }

    /// This worker reads them no longer.
    pub fn clear(&self) {
        let _whole = self.whole.lock();
        self.forget();
    }

    fn forget(&self) {
        self.backlog.clear();
        self.ages.clear();
        self.hook_backlog.clear();
        self.workers.clear();
        self.tables.clear();
        self.endpoints.clear();
        self.budgets.clear();
        self.active.clear();
        self.switched_off.clear();
        self.at.clear();
        self.took.clear();
    }
}

fn by_state<const N: usize>(family: &Family<State, FloatGauge>, values: [(&'static str, f64); N]) {
    for (state, value) in values {
        family.get_or_create(&State { state: Word(state) }).set(value);
    }
}
