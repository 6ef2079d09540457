//! The routes by which a worker is watched: is it alive, does it work, what does it count. They say nothing of a
//! database, a host, a hook or a tenant but what the metrics' labels hold, for whoever reaches the port may ask.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// What is watched. Each answer must be there at once.
pub trait Observed: Send + Sync + 'static {
    /// Whether the process still does anything: where not, it should be started anew.
    ///
    /// # Errors
    /// A word or two that say what is wrong.
    fn liveness(&self) -> Result<(), &'static str>;

    /// Whether it takes work now.
    ///
    /// # Errors
    /// A word or two that say what it waits for.
    fn readiness(&self) -> Result<(), &'static str>;

    /// The metrics, in the form that this `Accept` asks for.
    fn metrics(&self, accept: &str) -> Text;
}

/// A text with its content type.
pub struct Text {
    pub content_type: &'static str,
    pub text: Arc<str>,
}

/// `/healthz`, `/readyz` and `/metrics`.
pub fn routes(observed: Arc<dyn Observed>) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(observed)
}

async fn healthz(State(observed): State<Arc<dyn Observed>>) -> Response {
    probe(observed.liveness())
}

async fn readyz(State(observed): State<Arc<dyn Observed>>) -> Response {
    probe(observed.readiness())
}

fn probe(answer: Result<(), &'static str>) -> Response {
    let (status, text) = match answer {
        Ok(()) => (StatusCode::OK, "ok"),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason),
    };
    let headers = [
        (CONTENT_TYPE, "text/plain; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
    ];
    (status, headers, format!("{text}\n")).into_response()
}

async fn metrics(State(observed): State<Arc<dyn Observed>>, headers: HeaderMap) -> Response {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    let Text { content_type, text } = observed.metrics(accept.unwrap_or_default());
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store")];
    (headers, text.to_string()).into_response()
}
