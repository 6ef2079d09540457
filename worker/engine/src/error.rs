//! Errors that keep a worker from being built or from going on.

use zerodb_hooks_http::HttpError;
use zerodb_hooks_providers::ConfigError;
use zerodb_hooks_store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Providers(#[from] ConfigError),
    #[error("the system gives no threads for the handler {handler}: {error}")]
    Threads { handler: String, error: std::io::Error },
}
