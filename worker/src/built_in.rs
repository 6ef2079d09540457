//! The handlers that every worker has. This is the one place that names them all.

use std::path::Path;
use std::sync::Arc;

use zerodb_hooks_ai::{AutoEmbed, AutoGraph, AutoSummarize, Files};
use zerodb_hooks_engine::{Handler, Registered, Registry};
use zerodb_hooks_handlers::{CallFunction, Log, Webhook};

/// All of them. Without the path of the program `zerodb-hooks` no file's bytes are read.
pub fn registry(program: Option<&Path>) -> Registry {
    let files = Arc::new(Files::new(program.map(Path::to_path_buf)));
    let mut registry = Registry::default();
    add(&mut registry, "auto_embed", AutoEmbed::new(Arc::clone(&files)));
    add(&mut registry, "auto_graph", AutoGraph);
    add(&mut registry, "auto_summarize", AutoSummarize::new(files));
    add(&mut registry, "log", Log);
    add(&mut registry, "sql", CallFunction);
    add(&mut registry, "webhook", Webhook);
    registry
}

/// They never block, and so run on the worker's own threads.
fn add(registry: &mut Registry, name: &str, handler: impl Handler) {
    registry.insert(name, Registered::new(handler, None));
}
