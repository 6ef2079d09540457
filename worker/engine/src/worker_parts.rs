//! Makes the tasks of a worker. Each one gets the parts that it uses, and no others.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::attempt::{Attempts, Message};
use crate::backfill::Backfilling;
use crate::capacity::Capacity;
use crate::claiming::Claiming;
use crate::completer::Completer;
use crate::coverage::Coverage;
use crate::dispatcher::Dispatcher;
use crate::executor::Executor;
use crate::handler::Context;
use crate::health::Health;
use crate::heartbeat::Heartbeat;
use crate::hooks::Hooks;
use crate::judge::Judge;
use crate::lease::Lease;
use crate::maintenance::Maintenance;
use crate::packing::Packing;
use crate::readiness::Readiness;
use crate::registry::Registry;
use crate::sampling::Sampling;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::singles::Singles;
use crate::starter::{Claim, Starter};
use crate::writer::OutcomeWriter;
use zerodb_hooks_store::{Installation, Store};

/// The parts of a worker that tasks share.
pub struct WorkerParts {
    pub settings: Settings,
    context: Arc<Context>,
    registry: Arc<Registry>,
    pub lease: Arc<Lease>,
    pub capacity: Arc<Capacity>,
    pub executor: Arc<Executor>,
    packing: Arc<Packing>,
    readiness: Arc<Readiness>,
    signals: Signals,
    installation: watch::Receiver<Arc<Installation>>,
    /// Set when work is no longer taken.
    pub stop: CancellationToken,
}

impl WorkerParts {
    /// The second part is for the completer.
    pub fn new(
        settings: Settings,
        context: Context,
        registry: Registry,
        lease: Lease,
        readiness: Arc<Readiness>,
        installation: watch::Receiver<Arc<Installation>>,
    ) -> (Self, UnboundedReceiver<Message>) {
        let (context, stop) = (Arc::new(context), CancellationToken::new());
        let capacity = Arc::new(Capacity::new(settings.in_flight));
        let (attempts, messages) = Attempts::new(Arc::clone(&capacity), Arc::clone(&context.meters));
        let executor = Arc::new(Executor::new(Arc::clone(&context), Arc::new(attempts)));
        let packing = Packing::new(Arc::clone(&executor), Arc::clone(&capacity), stop.clone());
        let parts = Self {
            settings,
            context,
            registry: Arc::new(registry),
            lease: Arc::new(lease),
            capacity,
            executor,
            packing: Arc::new(packing),
            readiness,
            signals: Signals::default(),
            installation,
            stop,
        };
        (parts, messages)
    }

    /// Takes no more work.
    pub fn stopping(&self) {
        self.readiness.stopping();
        self.stop.cancel();
    }

    /// Has what is held counted for each text of the metrics.
    pub fn watch_in_flight(&self) {
        let meters = &self.context.meters;
        let (capacity, readiness) = (Arc::downgrade(&self.capacity), Arc::clone(&self.readiness));
        let (shown, most) = (Arc::downgrade(meters), self.settings.in_flight);
        meters.before_each_text(move || {
            if let Some(meters) = shown.upgrade() {
                let held = capacity.upgrade().map_or(0, |capacity| capacity.in_flight());
                meters.set_in_flight(held, most);
                meters.set_ready(readiness.readiness().is_ok());
            }
        });
    }

    fn store(&self) -> Store {
        self.context.store.clone()
    }

    pub fn dispatcher(&self, starter: UnboundedSender<Claim>) -> Dispatcher<Store> {
        let claiming = Claiming {
            source: Arc::new(self.store()),
            lease: Arc::clone(&self.lease),
            capacity: Arc::clone(&self.capacity),
            starter,
            meters: Arc::clone(&self.context.meters),
        };
        Dispatcher::new(claiming, &self.signals, self.settings.poll, &self.stop)
    }

    pub fn starter(&self) -> Starter {
        let hooks = Hooks::new(
            Arc::clone(&self.context),
            Arc::clone(&self.registry),
            Arc::clone(&self.capacity),
            self.settings.concurrency,
        );
        Starter {
            hooks,
            installation: self.installation.clone(),
            executor: Arc::clone(&self.executor),
            singles: Singles {
                executor: Arc::clone(&self.executor),
                stop: self.stop.clone(),
            },
            packing: Arc::clone(&self.packing),
        }
    }

    pub fn completer(&self) -> Completer<OutcomeWriter> {
        let writer = OutcomeWriter {
            store: self.store(),
            worker: self.settings.name.clone(),
            installation: self.installation.clone(),
            meters: Arc::clone(&self.context.meters),
        };
        Completer::new(
            writer,
            Arc::clone(&self.lease),
            Arc::clone(&self.capacity),
            Arc::clone(&self.signals.requeued),
        )
    }

    pub fn heartbeat(&self) -> Heartbeat {
        Heartbeat {
            store: self.store(),
            lease: Arc::clone(&self.lease),
            requeued: Arc::clone(&self.signals.requeued),
            meters: Arc::clone(&self.context.meters),
            readiness: Arc::clone(&self.readiness),
            stop: self.stop.clone(),
        }
    }

    pub fn sampling(&self) -> Sampling {
        Sampling {
            store: self.store(),
            meters: Arc::clone(&self.context.meters),
            stop: self.stop.clone(),
        }
    }

    pub fn maintenance(&self, installation: watch::Sender<Arc<Installation>>) -> Maintenance {
        Maintenance {
            store: self.store(),
            installation,
            stop: self.stop.clone(),
        }
    }

    pub fn health(&self) -> Health {
        Health {
            store: self.store(),
            notes: Arc::clone(&self.executor.attempts.health),
            stop: self.stop.clone(),
        }
    }

    pub fn coverage(&self) -> Coverage {
        Coverage {
            context: Arc::clone(&self.context),
            registry: Arc::clone(&self.registry),
            stop: self.stop.clone(),
        }
    }

    pub fn judge(&self) -> Judge {
        Judge::new(self.store(), self.signals.clone(), self.stop.clone())
    }

    pub fn backfilling(&self) -> Backfilling {
        Backfilling {
            context: Arc::clone(&self.context),
            registry: Arc::clone(&self.registry),
            lease: Arc::clone(&self.lease),
            packing: Arc::clone(&self.packing),
            stop: self.stop.clone(),
        }
    }
}
