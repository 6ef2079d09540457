//! What is counted of one hook's attempts. It is looked up once, when the hook is loaded, so that an attempt costs some
//! additions and no look-up.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;

use crate::labels::Trace;
use crate::numbers::Seconds;
use zerodb_hooks_delivery::outcome::Outcome;

pub(crate) type Histogram = HistogramWithExemplars<Trace>;

/// The outcomes that are counted, in the order of the arrays here.
pub(crate) const OUTCOMES: [&str; 5] = ["completed", "failed", "discarded", "deferred", "released"];

/// Counts the attempts of a hook.
#[derive(Clone, Debug)]
pub struct HookMeter {
    pub(crate) by_handler: [Counter; OUTCOMES.len()],
    pub(crate) by_hook: [Counter; OUTCOMES.len()],
    pub(crate) took: Seconds,
    pub(crate) duration: Histogram,
    pub(crate) lag: Histogram,
}

impl HookMeter {
    /// The first attempt of a delivery begins, so long after the event was written.
    pub fn began(&self, lag: Duration, trace_id: Option<&str>) {
        self.lag.observe(lag.as_secs_f64(), exemplar(trace_id), None);
    }

    /// An attempt ended.
    pub fn ended(&self, outcome: &Outcome, took: Duration, trace_id: Option<&str>) {
        if let Some(at) = OUTCOMES.iter().position(|name| *name == outcome.name()) {
            self.by_handler[at].inc();
            self.by_hook[at].inc();
        }
        // What was not tried took no time.
        if !matches!(outcome, Outcome::Deferred { .. } | Outcome::Released) {
            self.took.inc_by(took.as_secs_f64());
            self.duration
                .observe(took.as_secs_f64(), exemplar(trace_id), None);
        }
    }
}

/// The trace, if it is one: a writer chooses the text, and a scraper refuses all of a page for one bad exemplar.
fn exemplar(trace_id: Option<&str>) -> Option<Trace> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let trace_id = trace_id.filter(|id| id.len() == 32 && id.bytes().all(is_hex))?;
    Some(Trace {
        trace_id: trace_id.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trace_id_becomes_an_exemplar() {
        assert!(exemplar(Some("0af7651916cd43dd8448eb211c80319c")).is_some());
        for bad in [
            "",
            "0AF7651916CD43DD8448EB211C80319C",
            "x\"} 1\n",
            &"0".repeat(33),
        ] {
            assert!(exemplar(Some(bad)).is_none(), "{bad}");
        }
        assert!(exemplar(None).is_none());
    }
}
