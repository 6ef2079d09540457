//! Which attempts are recorded, and the queue of those that are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::context::SpanContext;
use crate::recording::{Recording, new_id};
use crate::span::{Kind, Span, Value, now};

/// The attempts whose spans wait for the exporter.
const WAITING: usize = 1024;

/// The spans of recorded attempts, for the exporter.
pub type Spans = Receiver<Vec<Span>>;

/// Decides which attempts are recorded. Never waits and never fails.
#[derive(Clone)]
pub struct Tracer {
    /// A trace is recorded where its hash is below.
    below: u64,
    queue: Sender<Vec<Span>>,
    dropped: Arc<AtomicU64>,
}

/// What the span of an attempt says.
pub struct Description {
    pub name: String,
    pub attributes: Vec<(&'static str, Value)>,
    /// Nanoseconds since 1970: when the event was written, of a first attempt. What lies between is a span too.
    pub waiting_since: Option<u64>,
}

/// An attempt that is followed.
pub struct Following {
    pub recording: Arc<Recording>,
    parent: Option<u64>,
    started: u64,
}

impl Tracer {
    /// Records this share of the traces that nobody has begun before, 0 to 1. Of others whoever has begun them has
    /// decided. What failed is recorded always.
    pub fn new(share: f64) -> (Self, Spans) {
        let (queue, spans) = mpsc::channel(WAITING);
        let tracer = Self {
            // The conversion ends at both ends of the range.
            below: (share * u64::MAX as f64) as u64,
            queue,
            dropped: Arc::default(),
        };
        (tracer, spans)
    }

    /// Spans that found no room, or that the exporter has given up.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Counts spans that were not exported.
    pub fn count_dropped(&self, spans: usize) {
        self.dropped
            .fetch_add(u64::try_from(spans).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Begins an attempt. `parent` is where its event was written; `own_trace` is the id of its trace where that was in
    /// none, and the same for all attempts of all deliveries of the event.
    pub fn follow(&self, parent: Option<SpanContext>, own_trace: u128) -> Following {
        let trace_id = parent.map_or(own_trace.max(1), |parent| parent.trace_id);
        let is_sampled = parent.map_or_else(|| mixed(trace_id) < self.below, |parent| parent.is_sampled);
        Following {
            recording: Recording::new(SpanContext {
                trace_id,
                span_id: new_id(),
                is_sampled,
            }),
            parent: parent.map(|parent| parent.span_id),
            started: now(),
        }
    }

    /// Ends an attempt; `describe` is asked where it is recorded.
    pub fn end(&self, following: Following, error: Option<String>, describe: impl FnOnce() -> Description) {
        let Following {
            recording,
            mut parent,
            started,
        } = following;
        let SpanContext {
            trace_id,
            span_id,
            is_sampled,
        } = recording.context;
        if !is_sampled && error.is_none() {
            return;
        }
        let described = describe();
        let mut spans = recording.take();
        if let Some(since) = described.waiting_since {
            let dispatch = Span {
                name: "dispatch".to_owned(),
                kind: Kind::Internal,
                trace_id,
                span_id: new_id(),
                parent,
                started: since.min(started),
                ended: started,
                attributes: Vec::new(),
                error: None,
            };
            parent = Some(dispatch.span_id);
            spans.push(dispatch);
        }
        spans.push(Span {
            name: described.name,
            kind: Kind::Consumer,
            trace_id,
            span_id,
            parent,
            started,
            ended: now(),
            attributes: described.attributes,
            error,
        });
        let count = spans.len();
        if self.queue.try_send(spans).is_err() {
            self.count_dropped(count);
        }
    }
}

/// A hash of a trace's id, the same in every worker: ids that count up are spread evenly. The finish of splitmix64.
fn mixed(trace_id: u128) -> u64 {
    let (high, low) = ((trace_id >> 64) as u64, trace_id as u64);
    let mut mixed = low ^ high.rotate_left(32);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::begin;

    fn process() -> Description {
        Description {
            name: "process".into(),
            attributes: Vec::new(),
            waiting_since: Some(0),
        }
    }

    fn parent(is_sampled: bool) -> Option<SpanContext> {
        Some(SpanContext {
            trace_id: 7,
            span_id: 8,
            is_sampled,
        })
    }

    /// The spans of an attempt with one part, as `name`s from the root.
    async fn recorded(share: f64, parent: Option<SpanContext>, error: Option<&str>) -> Vec<String> {
        let (tracer, mut spans) = Tracer::new(share);
        let following = tracer.follow(parent, 42);
        let recording = Arc::clone(&following.recording);
        recording
            .scope(async { begin(Kind::Client, || "POST".into()).map(|part| part.end(None)) })
            .await;
        tracer.end(following, error.map(str::to_owned), process);
        let spans = spans.try_recv().unwrap_or_default();
        let mut names = Vec::new();
        let mut above = parent.map(|parent| parent.span_id);
        while let Some(span) = spans.iter().find(|span| span.parent == above) {
            assert_eq!(span.trace_id, parent.map_or(42, |parent| parent.trace_id));
            names.push(span.name.clone());
            above = Some(span.span_id);
        }
        names
    }

    #[tokio::test]
    async fn whoever_began_the_trace_decides_and_what_failed_is_recorded_always() {
        let all = ["dispatch", "process", "POST"];
        assert_eq!(recorded(0.0, parent(true), None).await, all);
        assert!(recorded(1.0, parent(false), None).await.is_empty());
        assert_eq!(recorded(0.0, parent(false), Some("no answer")).await, all);
        assert_eq!(recorded(1.0, None, None).await, all);
        assert!(recorded(0.0, None, None).await.is_empty());
        assert_eq!(recorded(0.0, None, Some("no answer")).await, all);
    }

    #[test]
    fn ids_that_count_up_are_sampled_by_their_share() {
        let (tracer, _spans) = Tracer::new(0.01);
        let is_sampled = |id: u128| {
            tracer
                .follow(None, id << 32 | 5 << 96)
                .recording
                .context
                .is_sampled
        };
        let sampled = (1..=100_000_u128).filter(|id| is_sampled(*id)).count();
        assert!((800..1200).contains(&sampled), "{sampled}");
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let (tracer, _spans) = Tracer::new(1.0);
        for _ in 0..WAITING + 3 {
            tracer.end(tracer.follow(None, 1), None, process);
        }
        assert_eq!(tracer.dropped(), 6, "two spans each");
    }
}
