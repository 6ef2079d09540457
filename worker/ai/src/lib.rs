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

use std::path::Path;
use std::sync::Arc;

use source::Files;
use zerodb_hooks_contract::hooks;
use zerodb_hooks_engine::{Registered, Registry};

/// Adds these handlers. They never block, and so run on the worker's own threads. Without the path of the program
/// `zerodb-hooks` no file's bytes are read.
pub fn add_to(registry: &mut Registry, program: Option<&Path>) {
    let files = Arc::new(Files::new(program.map(Path::to_path_buf)));
    let embed = auto_embed::AutoEmbed::new(Arc::clone(&files));
    registry.insert(hooks::AutoEmbed::NAME, Registered::new(embed, None));
    registry.insert(
        hooks::AutoGraph::NAME,
        Registered::new(auto_graph::AutoGraph, None),
    );
    let summarize = auto_summarize::AutoSummarize::new(files);
    registry.insert(hooks::AutoSummarize::NAME, Registered::new(summarize, None));
}
