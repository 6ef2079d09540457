//! A worker as it is watched over HTTP: its counts and its state, as the routes of the server ask for them.

use std::sync::Arc;

use tokio::runtime::Handle;
use zerodb_hooks_engine::{Readiness, Worker};
use zerodb_hooks_http_server::{Observed, Text};
use zerodb_hooks_metrics::{Exposition, Form, Meters};

/// The parts of a worker that are watched, which outlive its run.
pub struct ObservedWorker {
    exposition: Exposition,
    readiness: Arc<Readiness>,
}

impl ObservedWorker {
    /// The worker that runs on the runtime of the caller.
    pub fn new(worker: &Worker) -> Self {
        let meters = worker.meters();
        count_runtime(&meters, &Handle::current());
        Self {
            exposition: Exposition::new(meters),
            readiness: worker.readiness(),
        }
    }
}

impl Observed for ObservedWorker {
    fn liveness(&self) -> Result<(), &'static str> {
        self.readiness.liveness()
    }

    fn readiness(&self) -> Result<(), &'static str> {
        self.readiness.readiness()
    }

    fn metrics(&self, accept: &str) -> Text {
        let form = Form::asked(accept);
        Text {
            content_type: form.content_type(),
            text: self.exposition.text(form),
        }
    }
}

fn count_runtime(meters: &Arc<Meters>, runtime: &Handle) {
    let (shown, runtime) = (Arc::downgrade(meters), runtime.metrics());
    meters.before_each_text(move || {
        let threads = runtime.num_workers();
        let busy = (0..threads)
            .map(|thread| runtime.worker_total_busy_duration(thread))
            .sum();
        if let Some(meters) = shown.upgrade() {
            meters.set_runtime(
                threads,
                runtime.num_alive_tasks(),
                runtime.global_queue_depth(),
                busy,
            );
        }
    });
}
