//! Registers metrics under the names of the table, which has their help.

use prometheus_client::registry::{Metric, Registry, Unit};

use crate::table::{Kind, described};

/// Registers a metric under its name of the table.
///
/// # Panics
/// In builds with debug assertions, for a name that the table has not.
pub(crate) fn register(registry: &mut Registry, name: &'static str, metric: impl Metric) {
    let Some(entry) = described(name) else {
        debug_assert!(false, "{name} is not in the table of metrics");
        return;
    };
    // The library adds both endings by itself.
    let stem = match entry.kind {
        Kind::Counter => name.strip_suffix("_total").unwrap_or(name),
        Kind::Gauge | Kind::Histogram => name,
    };
    let units = [("_seconds", Unit::Seconds), ("_bytes", Unit::Bytes)];
    let of_unit = units
        .into_iter()
        .find_map(|(ending, unit)| Some((stem.strip_suffix(ending)?, unit)));
    match of_unit {
        Some((stem, unit)) => registry.register_with_unit(stem, entry.help, unit, metric),
        None => registry.register(stem, entry.help, metric),
    }
}
