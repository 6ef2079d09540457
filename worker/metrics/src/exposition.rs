//! The text of all metrics. It is written at most once a second and handed out to all who ask meanwhile, so that many
//! scrapers, or one that does not stop asking, cost no more than one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use prometheus_client::encoding::{prometheus_text, text};

use crate::meters::Meters;

/// For how long a text is handed out.
const FRESH: Duration = Duration::from_secs(1);

/// The text formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// OpenMetrics 1.0, with exemplars.
    OpenMetrics,
    /// Prometheus 0.0.4, which has none.
    Prometheus,
}

impl Form {
    /// The form that a request asks for by its `Accept`.
    pub fn asked(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => prometheus_text::CONTENT_TYPE,
        }
    }
}

/// A text, and when it was written.
type Written = Option<(Instant, Arc<str>)>;

/// Writes the text of a worker's metrics.
pub struct Exposition {
    meters: Arc<Meters>,
    /// By form.
    written: [Mutex<Written>; 2],
}

impl Exposition {
    pub fn new(meters: Arc<Meters>) -> Self {
        Self {
            meters,
            written: Default::default(),
        }
    }

    /// The text, at most a second old.
    pub fn text(&self, form: Form) -> Arc<str> {
        let mut written = self.written[usize::from(form == Form::Prometheus)].lock();
        if let Some((at, text)) = &*written
            && at.elapsed() < FRESH
        {
            return Arc::clone(text);
        }
        let text: Arc<str> = self.write(form).into();
        *written = Some((Instant::now(), Arc::clone(&text)));
        text
    }

    fn write(&self, form: Form) -> String {
        let meters = &self.meters;
        meters.process.read();
        meters.readings.lock().iter().for_each(|read| read());
        let _whole = meters.sampled.whole.lock();
        let mut written = String::with_capacity(16 << 10);
        let ended = match form {
            Form::OpenMetrics => text::encode(&mut written, &meters.registry),
            Form::Prometheus => prometheus_text::encode(&mut written, &meters.registry),
        };
        // A String takes all that is written to it.
        debug_assert!(ended.is_ok());
        written
    }
}

#[cfg(test)]
mod tests;
