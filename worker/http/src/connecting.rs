//! How far a request has come, and how long each part of it took: whether one whose time is up was still being
//! connected. The client says only that it took too long.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tower_layer::Layer;
use tower_service::Service;

use crate::request::Timings;

tokio::task_local! {
    /// How far the request of this task has come.
    static PROGRESS: Arc<Progress>;
}

/// How far one request has come.
#[derive(Default)]
pub struct Progress {
    is_connecting: AtomicBool,
    lookup: OnceLock<Duration>,
    /// With the look-up.
    connect: OnceLock<Duration>,
    answered: OnceLock<Instant>,
}

impl Progress {
    /// Whether it is being connected, or was when it ended.
    pub fn is_connecting(&self) -> bool {
        self.is_connecting.load(Ordering::Relaxed)
    }

    /// Notes that the head of the answer is there.
    pub fn answered(&self) {
        self.answered.get_or_init(Instant::now);
    }

    /// What is known of a request that began then and has ended now.
    pub fn timings(&self, begun: Instant) -> Timings {
        let lookup = self.lookup.get().copied();
        let connect = self.connect.get();
        Timings {
            lookup,
            connect: connect.map(|connect| connect.saturating_sub(lookup.unwrap_or_default())),
            first_byte: self.answered.get().map(|at| at.duration_since(begun)),
            total: begun.elapsed(),
        }
    }
}

/// Runs a request, and notes in `progress` how far it comes.
pub async fn watched<T>(progress: &Arc<Progress>, request: impl Future<Output = T>) -> T {
    PROGRESS.scope(Arc::clone(progress), request).await
}

/// Notes how long the look-up of the host took, of the request of this task.
pub fn looked_up(took: Duration) {
    // A connection that another request has begun is nobody's any more.
    let _ = PROGRESS.try_with(|progress| progress.lookup.set(took));
}

/// Notes the begin and the end of connecting: name, TCP and TLS.
#[derive(Clone)]
pub struct Notes;

#[derive(Clone)]
pub struct Noted<S>(S);

impl<S> Layer<S> for Notes {
    type Service = Noted<S>;

    fn layer(&self, connector: S) -> Noted<S> {
        Noted(connector)
    }
}

impl<S, R> Service<R> for Noted<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, address: R) -> Self::Future {
        let progress = PROGRESS.try_with(Arc::clone).unwrap_or_default();
        let connected = self.0.call(address);
        Box::pin(async move {
            let begun = Instant::now();
            progress.is_connecting.store(true, Ordering::Relaxed);
            let connected = connected.await;
            progress.is_connecting.store(false, Ordering::Relaxed);
            let _ = progress.connect.set(begun.elapsed());
            connected
        })
    }
}
