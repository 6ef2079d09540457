//! Traces of deliveries: which attempts are recorded, and what their spans say. No I/O: whoever exports the spans takes
//! them from a queue of bounded length, and what finds no room there is counted and dropped. A payload, a URL, a header
//! or a secret is never part of a span.
//!
//! Where no tracer is set up, nothing is recorded, and asking costs one look at a variable of the task.

mod context;
mod recording;
mod span;
mod tracer;

pub use context::SpanContext;
pub use recording::{Part, Recording, begin};
pub use span::{Kind, Span, Value};
pub use tracer::{Description, Following, Spans, Tracer};
