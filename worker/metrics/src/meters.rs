//! What a worker counts, and the registry that makes a text of it. Counting waits for nobody but, where a label is met
//! for the first time, for a scrape that is being written.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use uuid::Uuid;

use crate::calls::DatabaseCall;
use crate::hook_labels::HookLabels;
use crate::hook_meter::{Histogram, HookMeter, OUTCOMES};
use crate::labels::{
    Call, From, GivenUp, HandlerOutcome, HookOutcome, Model, ModelTokens, NO_LABELS, NoLabels, OfHandler,
    OfHook, OfResult, Reason, Version, WebhookResult, Word,
};
use crate::numbers::{FloatGauge, Seconds, now};
use crate::process::Process;
use crate::registering::register;
use crate::sample::SampledGauges;

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Seconds. An attempt may take a millisecond or, with a model, minutes.
const DURATIONS: [f64; 12] = [
    0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0,
];
/// A delivery may wait for a worker for hours.
const LAGS: [f64; 12] = [
    0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0,
];
const CALLS: [f64; 8] = [0.001, 0.0025, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0];

/// Sets gauges just before they are written. It must ask nobody.
pub(crate) type Reading = Box<dyn Fn() + Send + Sync>;

/// The counts of one worker.
pub struct Meters {
    attempts: Family<HandlerOutcome, Counter>,
    hook_attempts: Family<HookOutcome, Counter>,
    hook_seconds: Family<OfHook, Seconds>,
    durations: Histograms<OfHandler>,
    lags: Histograms<OfHandler>,
    hooks: Arc<Mutex<HookLabels>>,
    events: Counter,
    claimed: Family<From, Counter>,
    given_up: Family<Reason, Counter>,
    webhooks: Family<OfResult, Counter>,
    model_requests: Family<Model, Counter>,
    model_inputs: Family<Model, Counter>,
    model_tokens: Family<ModelTokens, Counter>,
    calls: Histograms<Call>,
    failures: Family<Call, Counter>,
    renewed: Family<NoLabels, FloatGauge>,
    ready: Gauge,
    in_flight: Gauge,
    in_flight_limit: Gauge,
    pub(crate) process: Process,
    pub(crate) sampled: SampledGauges,
    pub(crate) readings: Mutex<Vec<Reading>>,
    pub(crate) registry: Registry,
}

impl Default for Meters {
    /// Those of a worker of whose hooks 100 have their names in labels.
    fn default() -> Self {
        Self::new("", 100)
    }
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meters").finish_non_exhaustive()
    }
}

impl Meters {
    /// The counts of a worker of this version, which names at most so many hooks.
    pub fn new(version: &'static str, most_hooks: usize) -> Self {
        let hooks = Arc::new(Mutex::new(HookLabels::new(most_hooks)));
        let mut meters = Self {
            attempts: Family::default(),
            hook_attempts: Family::default(),
            hook_seconds: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATIONS.into_iter())),
            lags: Family::new_with_constructor(|| Histogram::new(LAGS.into_iter())),
            sampled: SampledGauges::new(Arc::clone(&hooks)),
            hooks,
            events: Counter::default(),
            claimed: Family::default(),
            given_up: Family::default(),
            webhooks: Family::default(),
            model_requests: Family::default(),
            model_inputs: Family::default(),
            model_tokens: Family::default(),
            calls: Family::new_with_constructor(|| Histogram::new(CALLS.into_iter())),
            failures: Family::default(),
            renewed: Family::default(),
            ready: Gauge::default(),
            in_flight: Gauge::default(),
            in_flight_limit: Gauge::default(),
            process: Process::default(),
            readings: Mutex::new(Vec::new()),
            registry: Registry::default(),
        };
        meters.begin_at_zero();
        meters.register(version);
        meters
    }

    /// A counter that begins with its first count has no increase that anybody would see.
    fn begin_at_zero(&self) {
        for from in ["log", "queue"] {
            let _made = self.claimed.get_or_create(&From { from: Word(from) });
        }
        for reason in GivenUp::ALL {
            let _made = self.given_up.get_or_create(&Reason {
                reason: reason.word(),
            });
        }
        for result in WebhookResult::WORDS {
            let _made = self.webhooks.get_or_create(&OfResult { result: Word(result) });
        }
        for call in DatabaseCall::ALL {
            let _made = self.calls.get_or_create(&Call::of(call));
            let _made = self.failures.get_or_create(&Call::of(call));
        }
    }

    fn register(&mut self, version: &'static str) {
        let to = &mut self.registry;
        register(to, "zerodb_hooks_events_dispatched_total", self.events.clone());
        register(to, "zerodb_hooks_deliveries_claimed_total", self.claimed.clone());
        register(to, "zerodb_hooks_attempts_total", self.attempts.clone());
        register(to, "zerodb_hooks_hook_attempts_total", self.hook_attempts.clone());
        register(
            to,
            "zerodb_hooks_hook_attempt_seconds_total",
            self.hook_seconds.clone(),
        );
        register(to, "zerodb_hooks_given_up_total", self.given_up.clone());
        register(
            to,
            "zerodb_hooks_attempt_duration_seconds",
            self.durations.clone(),
        );
        register(to, "zerodb_hooks_delivery_lag_seconds", self.lags.clone());
        register(to, "zerodb_hooks_webhook_requests_total", self.webhooks.clone());
        register(
            to,
            "zerodb_hooks_model_requests_total",
            self.model_requests.clone(),
        );
        register(to, "zerodb_hooks_model_inputs_total", self.model_inputs.clone());
        register(to, "zerodb_hooks_model_tokens_total", self.model_tokens.clone());
        let info = Family::<Version, Gauge>::default();
        info.get_or_create(&Version {
            version: Word(version),
        })
        .set(1);
        register(to, "zerodb_hooks_build_info", info);
        register(to, "zerodb_hooks_ready", self.ready.clone());
        register(to, "zerodb_hooks_deliveries_in_flight", self.in_flight.clone());
        register(
            to,
            "zerodb_hooks_deliveries_in_flight_limit",
            self.in_flight_limit.clone(),
        );
        register(
            to,
            "zerodb_hooks_lease_renewed_timestamp_seconds",
            self.renewed.clone(),
        );
        register(
            to,
            "zerodb_hooks_database_call_duration_seconds",
            self.calls.clone(),
        );
        register(to, "zerodb_hooks_database_failures_total", self.failures.clone());
        self.process.register(to);
        self.sampled.register(to);
    }

    /// What is counted of a hook's attempts. `handler` is the name of one that this worker has; `None` where it has
    /// none, whose name is then anybody's to choose.
    pub fn of_hook(&self, user: Uuid, hook: &str, handler: Option<&str>) -> HookMeter {
        let handler: Arc<str> = handler.unwrap_or("missing").into();
        let label = self.hooks.lock().of(user, hook);
        HookMeter {
            by_handler: OUTCOMES.map(|outcome| {
                self.attempts.get_or_create_owned(&HandlerOutcome {
                    handler: Arc::clone(&handler),
                    outcome: Word(outcome),
                })
            }),
            by_hook: OUTCOMES.map(|outcome| {
                self.hook_attempts
                    .get_or_create_owned(&HookOutcome::of(&label, outcome))
            }),
            took: self.hook_seconds.get_or_create_owned(&OfHook::of(&label)),
            duration: self.durations.get_or_create_owned(&OfHandler {
                handler: Arc::clone(&handler),
            }),
            lag: self.lags.get_or_create_owned(&OfHandler { handler }),
        }
    }

    /// Events were taken from the log.
    pub fn dispatched(&self, events: usize) {
        self.events.inc_by(events as u64);
    }

    /// Deliveries were leased as they were dispatched, or from the queue.
    pub fn claimed(&self, from_log: bool, deliveries: usize) {
        let from = Word(if from_log { "log" } else { "queue" });
        self.claimed
            .get_or_create(&From { from })
            .inc_by(deliveries as u64);
    }

    /// A delivery was given up.
    pub fn gave_up(&self, reason: GivenUp) {
        self.given_up
            .get_or_create(&Reason {
                reason: reason.word(),
            })
            .inc();
    }

    /// A webhook's request ended.
    pub fn webhook_requested(&self, result: WebhookResult) {
        self.webhooks
            .get_or_create(&OfResult {
                result: result.word(),
            })
            .inc();
    }

    /// Models were asked by a handler of this worker; `provider` is a name of the worker's file.
    pub fn model_used(&self, provider: &str, handler: &str, used: ModelUse) {
        let (provider, handler): (Arc<str>, Arc<str>) = (provider.into(), handler.into());
        let model = Model {
            provider: Arc::clone(&provider),
            handler: Arc::clone(&handler),
        };
        self.model_requests.get_or_create(&model).inc_by(used.requests);
        self.model_inputs.get_or_create(&model).inc_by(used.inputs);
        for (kind, tokens) in [
            ("prompt", used.prompt_tokens),
            ("completion", used.completion_tokens),
        ] {
            let label = ModelTokens {
                provider: Arc::clone(&provider),
                handler: Arc::clone(&handler),
                kind: Word(kind),
            };
            self.model_tokens.get_or_create(&label).inc_by(tokens);
        }
    }

    /// A call of the database ended.
    pub fn called(&self, call: DatabaseCall, took: Duration, succeeded: bool) {
        let label = Call::of(call);
        if succeeded {
            self.calls
                .get_or_create(&label)
                .observe(took.as_secs_f64(), None, None);
        } else {
            self.failures.get_or_create(&label).inc();
        }
    }

    /// The lease was renewed now.
    pub fn lease_renewed(&self) {
        self.renewed.get_or_create(&NO_LABELS).set(now());
    }

    /// The figures of the database.
    pub fn sampled(&self) -> &SampledGauges {
        &self.sampled
    }

    /// Whether this worker takes work, as it is when somebody asks.
    pub fn set_ready(&self, ready: bool) {
        self.ready.set(ready.into());
    }

    /// What this worker holds, and may hold.
    pub fn set_in_flight(&self, deliveries: usize, most: usize) {
        self.in_flight.set(i64::try_from(deliveries).unwrap_or(i64::MAX));
        self.in_flight_limit.set(i64::try_from(most).unwrap_or(i64::MAX));
    }

    /// Numbers of the worker's runtime.
    pub fn set_runtime(&self, threads: usize, tasks: usize, queued: usize, busy: Duration) {
        self.process.set_runtime(threads, tasks, queued, busy);
    }

    /// Has gauges set just before they are written. It may not wait for anything.
    pub fn before_each_text(&self, reading: impl Fn() + Send + Sync + 'static) {
        self.readings.lock().push(Box::new(reading));
    }
}

/// What was used of a model.
#[derive(Clone, Copy, Debug, Default)]
pub struct ModelUse {
    pub requests: u64,
    pub inputs: u64,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
}
