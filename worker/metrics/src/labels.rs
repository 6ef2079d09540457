//! The labels, and the values that those with fixed ones have. Each is a type of its own, so that none takes a text of
//! somebody else's by mistake.

use std::fmt::{self, Write};
use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

use crate::calls::DatabaseCall;
use crate::hook_labels::HookLabel;

/// What each label may hold, for the reference.
pub(crate) const VALUES: &[(&str, &str)] = &[
    (
        "handler",
        "`webhook`, `log`, `sql`, `auto_embed`, `auto_summarize`, `auto_graph`, handlers of the program's own; `missing` for one that this worker lacks",
    ),
    (
        "outcome",
        "`completed`, `failed`, `discarded`, `deferred`, `released`",
    ),
    (
        "hook",
        "the hook's name, for the first `--metrics-hooks` names that the worker meets; `other` for all others. Names of tenants' hooks get half of them at most, those of one tenant a tenth",
    ),
    (
        "scope",
        "`global`: a hook of every user; `tenant`: one of a single user. So a tenant's hook never counts for yours of the same name",
    ),
    ("from", "`log`, `queue`"),
    ("reason", "`permanent`, `exhausted`, `not_run`"),
    (
        "result",
        "`success` (2xx), `http_3xx`, `http_4xx`, `http_5xx`, `http_other`, `timeout`, `dns`, `connect`, `tls`, `blocked` (an address that is not allowed), `broken` (the connection ended), `invalid` (it could not be sent)",
    ),
    ("provider", "the provider's name in the worker's file, `local`"),
    ("kind", "`prompt`, `completion`"),
    ("version", "the worker's version"),
    ("call", "`dispatch`, `claim`, `settle`, `renew`, `sample`"),
    (
        "state",
        "of the backlog `undispatched`, `undecided`, `due`, `not_due`, `running`, `blocked`; of workers `alive`, `expired`; of budgets `set`, `exhausted`",
    ),
    ("table", "`outbox`, `delivery`, `completion`, `attempt`"),
];

/// A fixed word as the value of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Word(pub &'static str);

impl EncodeLabelValue for Word {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.0)
    }
}

/// The labels of a metric that has none. It is a family all the same, so that it can be absent.
pub(crate) type NoLabels = [(&'static str, &'static str); 0];
pub(crate) const NO_LABELS: NoLabels = [];

/// The reasons for which a worker gives a delivery up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// An error that repetition does not mend.
    Permanent,
    /// The last attempt failed.
    Exhausted,
    /// It could not be run.
    NotRun,
}

impl GivenUp {
    pub(crate) const ALL: [Self; 3] = [Self::Permanent, Self::Exhausted, Self::NotRun];

    pub(crate) fn word(self) -> Word {
        Word(match self {
            Self::Permanent => "permanent",
            Self::Exhausted => "exhausted",
            Self::NotRun => "not_run",
        })
    }
}

/// What came of a webhook's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookResult {
    /// An answer with this status.
    Answered(u16),
    Timeout,
    Dns,
    Connect,
    Tls,
    Blocked,
    Broken,
    Invalid,
}

impl WebhookResult {
    pub(crate) const WORDS: [&'static str; 12] = [
        "success",
        "http_3xx",
        "http_4xx",
        "http_5xx",
        "http_other",
        "timeout",
        "dns",
        "connect",
        "tls",
        "blocked",
        "broken",
        "invalid",
    ];

    pub(crate) fn word(self) -> Word {
        Word(match self {
            Self::Answered(200..=299) => "success",
            Self::Answered(300..=399) => "http_3xx",
            Self::Answered(400..=499) => "http_4xx",
            Self::Answered(500..=599) => "http_5xx",
            Self::Answered(_) => "http_other",
            Self::Timeout => "timeout",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Blocked => "blocked",
            Self::Broken => "broken",
            Self::Invalid => "invalid",
        })
    }
}

macro_rules! labels {
    ($($name:ident { $($field:ident: $type:ty),* })*) => {$(
        #[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
        pub(crate) struct $name {
            $(pub $field: $type),*
        }
    )*};
}

labels! {
    From { from: Word }
    HandlerOutcome { handler: Arc<str>, outcome: Word }
    HookOutcome { hook: Arc<str>, scope: Word, outcome: Word }
    OfHook { hook: Arc<str>, scope: Word }
    Reason { reason: Word }
    OfHandler { handler: Arc<str> }
    OfResult { result: Word }
    OfProvider { provider: Arc<str> }
    Model { provider: Arc<str>, handler: Arc<str> }
    ModelTokens { provider: Arc<str>, handler: Arc<str>, kind: Word }
    Version { version: Word }
    Call { call: Word }
    State { state: Word }
    Table { table: Arc<str> }
    Trace { trace_id: Box<str> }
}

impl OfHook {
    pub(crate) fn of(label: &HookLabel) -> Self {
        Self {
            hook: Arc::clone(&label.name),
            scope: Word(label.scope.name()),
        }
    }
}

impl HookOutcome {
    pub(crate) fn of(label: &HookLabel, outcome: &'static str) -> Self {
        Self {
            hook: Arc::clone(&label.name),
            scope: Word(label.scope.name()),
            outcome: Word(outcome),
        }
    }
}

impl Call {
    pub(crate) fn of(call: DatabaseCall) -> Self {
        Self {
            call: Word(call.name()),
        }
    }
}
