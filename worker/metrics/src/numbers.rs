//! The numbers that are not whole, and the time.

use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

pub(crate) type FloatGauge = Gauge<f64, AtomicU64>;
pub(crate) type Seconds = Counter<f64, AtomicU64>;

/// Seconds since 1970, by this machine's clock.
pub(crate) fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}
