//! The handlers that ask a model about a text: vectors, summaries, a graph. They read and write rows of watched tables
//! through the store and must not write the state of a delivery.

mod asking;
mod auto_embed;
mod auto_graph;
mod auto_summarize;
mod digest;
mod plans;
mod round;
mod row_key;
mod source;
mod spending;

pub use auto_embed::AutoEmbed;
pub use auto_graph::AutoGraph;
pub use auto_summarize::AutoSummarize;
pub use source::Files;
