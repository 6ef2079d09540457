//! The threads of one in-process handler. A handler that blocks them stops itself: not the worker's own tasks, whose
//! deadlines and heartbeat go on, and not other handlers.

use std::future::Future;
use std::io;

use tokio::runtime::{Builder, Runtime};
use tokio_util::task::TaskTracker;

pub struct Threads(Option<Runtime>);

impl Threads {
    /// Starts as many as there are processors, named by the handler.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn start(handler: &str) -> io::Result<Self> {
        Builder::new_multi_thread()
            .thread_name(format!("handler {handler}"))
            .enable_all()
            .build()
            .map(|runtime| Self(Some(runtime)))
    }

    /// Runs a task on these threads.
    pub fn spawn<T: Send + 'static>(
        &self,
        tracker: &TaskTracker,
        task: impl Future<Output = T> + Send + 'static,
    ) {
        if let Some(runtime) = &self.0 {
            tracker.spawn_on(task, runtime.handle());
        }
    }
}

impl Drop for Threads {
    /// Without waiting: a thread that is blocked may never end.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
