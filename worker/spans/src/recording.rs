//! What an attempt does, while it does it: the parts of it that are spans of their own. They are kept until it is known
//! whether the attempt is recorded.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::context::SpanContext;
use crate::span::{Kind, Span, Value, now};

/// The most parts of one attempt that are kept; what comes after them is left out.
const MOST_PARTS: usize = 64;

tokio::task_local! {
    static CURRENT: Place;
}

/// The span that work belongs to.
#[derive(Clone)]
struct Place {
    recording: Arc<Recording>,
    span_id: u64,
}

/// The parts of one attempt.
pub struct Recording {
    /// The attempt's own span.
    pub context: SpanContext,
    parts: Mutex<Vec<Span>>,
}

impl Recording {
    pub(crate) fn new(context: SpanContext) -> Arc<Self> {
        Arc::new(Self {
            context,
            parts: Mutex::default(),
        })
    }

    /// Runs the attempt; what it does can be recorded from within.
    pub async fn scope<T>(self: &Arc<Self>, work: impl Future<Output = T>) -> T {
        let place = Place {
            recording: Arc::clone(self),
            span_id: self.context.span_id,
        };
        CURRENT.scope(place, work).await
    }

    pub(crate) fn take(&self) -> Vec<Span> {
        std::mem::take(&mut self.parts.lock())
    }

    fn keep(&self, span: Span) {
        let mut parts = self.parts.lock();
        if parts.len() < MOST_PARTS {
            parts.push(span);
        }
    }
}

/// Begins a part of the attempt that this task works on; `None` where nothing is recorded.
pub fn begin(kind: Kind, name: impl FnOnce() -> String) -> Option<Part> {
    let place = CURRENT.try_with(Place::clone).ok()?;
    Some(Part {
        span: Some(Span {
            name: name(),
            kind,
            trace_id: place.recording.context.trace_id,
            span_id: new_id(),
            parent: Some(place.span_id),
            started: now(),
            ended: 0,
            attributes: Vec::new(),
            error: None,
        }),
        recording: place.recording,
    })
}

/// A part that goes on. One that is dropped has been given up.
pub struct Part {
    recording: Arc<Recording>,
    span: Option<Span>,
}

impl Part {
    /// Where it is, for whoever goes on with the trace elsewhere.
    pub fn context(&self) -> SpanContext {
        SpanContext {
            span_id: self.span.as_ref().map_or(0, |span| span.span_id),
            ..self.recording.context
        }
    }

    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        if let Some(span) = &mut self.span {
            span.attributes.push((key, value.into()));
        }
    }

    /// Runs what belongs to this part.
    pub async fn scope<T>(&self, work: impl Future<Output = T>) -> T {
        let place = Place {
            recording: Arc::clone(&self.recording),
            span_id: self.context().span_id,
        };
        CURRENT.scope(place, work).await
    }

    /// Ends it; `error` says what failed.
    pub fn end(mut self, error: Option<String>) {
        self.close(error);
    }

    fn close(&mut self, error: Option<String>) {
        if let Some(mut span) = self.span.take() {
            span.ended = now();
            span.error = error;
            self.recording.keep(span);
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.close(Some("given up before its end".to_owned()));
    }
}

/// An id that is not zero.
pub(crate) fn new_id() -> u64 {
    rand::random::<u64>().max(1)
}
