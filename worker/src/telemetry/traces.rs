//! Whether traces are sent, by the command line. The exporter is there only with the feature `otlp`: without it an
//! endpoint is refused.

use zerodb_hooks_spans::Tracer;

#[cfg(feature = "otlp")]
pub use super::otlp::Export;

/// What never is in a build without the feature.
#[cfg(not(feature = "otlp"))]
pub enum Export {}

#[cfg(not(feature = "otlp"))]
impl Export {
    #[expect(clippy::unused_async, reason = "the exporter's own waits")]
    pub async fn finish(self) {}
}

/// The tracer of a worker of this name, and its exporter; nothing where no endpoint is named.
///
/// # Errors
/// In a build without the feature, and for an endpoint that is no URL.
pub fn start(endpoint: Option<&str>, percent: f64, worker: &str) -> anyhow::Result<Option<(Tracer, Export)>> {
    let Some(endpoint) = endpoint.filter(|endpoint| !endpoint.is_empty()) else {
        return Ok(None);
    };
    #[cfg(feature = "otlp")]
    return Ok(Some(super::otlp::start(endpoint, percent, worker)?));
    #[cfg(not(feature = "otlp"))]
    {
        let _unused = (endpoint, percent, worker);
        anyhow::bail!(
            "this build sends no traces: leave --otlp-endpoint out, or build it with --features otlp"
        )
    }
}
