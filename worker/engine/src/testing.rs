//! Values for the unit tests of this crate. Nothing here reaches a database.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use uuid::Uuid;

use crate::attempt::{Attempts, Message};
use crate::capacity::Capacity;
use crate::executor::Executor;
use crate::handler::{Context, Handler};
use crate::hooks::LoadedHook;
use crate::job::Job;
use crate::lease::Lease;
use crate::prepare::prepare;
use crate::registry::Registered;
use crate::threads::Threads;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::event_data::EventData;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::{Done, HandlerError};
use zerodb_hooks_delivery::secret::Secrets;
use zerodb_hooks_http::{Access, Client};
use zerodb_hooks_metrics::Meters;
use zerodb_hooks_providers::{Config, Gate, Providers};
use zerodb_hooks_rendering::Templates;
use zerodb_hooks_store::{
    Claimed, EndedAttempt, EventKey, EventRow, Installation, SharedGate, Store, Stored, Xid,
};

/// A store whose database nobody has.
pub fn offline_store() -> Store {
    Store::new("postgres://nobody@localhost:1/none").unwrap()
}

pub fn context() -> Arc<Context> {
    let (store, http) = (offline_store(), Client::new(Access::default()).unwrap());
    let gate: Arc<dyn Gate> = Arc::new(SharedGate::new(store.clone()));
    Arc::new(Context {
        providers: Providers::new(&Config::default(), &http, &gate).unwrap(),
        http,
        secrets: Secrets::new(std::iter::empty()),
        store,
        gate,
        templates: Arc::new(Templates::new(None)),
        meters: Arc::default(),
        tracer: None,
    })
}

pub fn lease(id: i64) -> Arc<Lease> {
    Arc::new(Lease::new(offline_store(), "test", Duration::from_secs(30), id))
}

pub fn installation() -> Installation {
    Installation {
        salt: 1,
        retention: "1 day".into(),
        record_all: true,
        slot: 0,
        version: "0".into(),
        event_types: HashMap::new(),
    }
}

/// A hook of a handler with this name, whose deadline is a millisecond.
pub fn hook(name: &str) -> Hook {
    hook_with(name, &json!({"timeout_ms": 1}))
}

pub fn hook_with(name: &str, config: &Value) -> Hook {
    Hook::new(
        Uuid::from_u128(1),
        1,
        Uuid::nil(),
        "function",
        name.into(),
        config,
    )
}

/// A hook that is run by `handler`, at most `concurrency` times at once.
pub fn loaded(handler: impl Handler, threads: Option<Threads>, concurrency: usize) -> Arc<LoadedHook> {
    Arc::new(LoadedHook {
        hook: Arc::new(hook("test")),
        registered: Arc::new(Registered::new(handler, threads)),
        permits: Arc::new(tokio::sync::Semaphore::new(concurrency)),
        meter: Arc::new(Meters::default().of_hook(Uuid::nil(), "test", Some("test"))),
    })
}

pub fn claimed(id: i64) -> Claimed {
    Claimed {
        id,
        stored: Stored::row(),
        attempt: 1,
        epoch: 1,
        losses: 0,
        hook_id: Uuid::from_u128(1),
        hook_version: 1,
        event: Some(EventRow {
            key: EventKey {
                xid: Xid(u64::try_from(id).unwrap()),
                ord: 1,
            },
            event_type: "order.created".into(),
            data: Arc::new(EventData::from(&json!({"id": id}))),
            user_id: None,
            project_id: None,
            bank_id: None,
            traceparent: None,
            created_at: Timestamp::UNIX_EPOCH,
            relid: 0,
        }),
    }
}

/// Jobs with the ids 1 to `count`.
pub fn jobs<C: FromIterator<Job>>(loaded: &Arc<LoadedHook>, count: i64) -> C {
    let job = |id| Job {
        lease: 7,
        stored: Stored::row(),
        delivery: Arc::new(prepare(&installation(), &loaded.hook, &mut claimed(id)).unwrap()),
        loaded: Arc::clone(loaded),
        alone: None,
    };
    (1..=count).map(job).collect()
}

/// An executor, the capacity that it counts for, and the ends of what it runs.
pub fn executor() -> (Arc<Executor>, Arc<Capacity>, Ends) {
    let capacity = Arc::new(Capacity::new(400));
    let (attempts, messages) = Attempts::new(Arc::clone(&capacity), Arc::default());
    let executor = Executor::new(context(), Arc::new(attempts));
    (Arc::new(executor), capacity, Ends(messages))
}

/// The attempts that the completer would get.
pub struct Ends(UnboundedReceiver<Message>);

impl Ends {
    /// Waits for the next attempt that ends.
    pub async fn next(&mut self) -> EndedAttempt {
        match self.0.recv().await.unwrap() {
            Message::Ended { attempt, .. } => attempt,
            Message::Close => panic!("closed"),
        }
    }

    /// Waits for `count` ends and returns their deliveries and outcomes, by delivery.
    pub async fn take(&mut self, count: usize) -> Vec<(i64, &'static str)> {
        let mut ends = Vec::new();
        for _ in 0..count {
            let ended = self.next().await;
            ends.push((ended.delivery_id, ended.outcome.name()));
        }
        ends.sort_unstable();
        ends
    }

    /// True when nothing has ended.
    pub fn is_empty(&mut self) -> bool {
        self.0.is_empty()
    }
}

/// A handler that does what a closure says.
pub struct Calls<F>(pub F);

#[async_trait]
impl<F, R> Handler for Calls<F>
where
    F: Fn(Arc<Delivery>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Done, HandlerError>> + Send,
{
    async fn run(&self, _context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        (self.0)(Arc::new(delivery.clone())).await
    }
}
