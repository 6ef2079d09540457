//! Tells whether a request whose time is up was still being connected. The client says only that it took too long.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

tokio::task_local! {
    /// True while the request of this task is being connected.
    static CONNECTING: Arc<AtomicBool>;
}

/// Runs a request; the second value says whether it was being connected when it ended.
pub async fn watched<T>(request: impl Future<Output = T>) -> (T, bool) {
    let connecting = Arc::new(AtomicBool::new(false));
    let ended = CONNECTING.scope(Arc::clone(&connecting), request).await;
    (ended, connecting.load(Ordering::Relaxed))
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
        let connecting = CONNECTING.try_with(Arc::clone).unwrap_or_default();
        let connected = self.0.call(address);
        Box::pin(async move {
            connecting.store(true, Ordering::Relaxed);
            let connected = connected.await;
            connecting.store(false, Ordering::Relaxed);
            connected
        })
    }
}
