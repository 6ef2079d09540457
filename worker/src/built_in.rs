//! The handlers that every worker has.

use std::path::Path;
use std::sync::Arc;

use zerodb_hooks_ai::{AutoEmbed, AutoGraph, AutoSummarize, Files};
use zerodb_hooks_contract::hooks;
use zerodb_hooks_engine::{Handler, Registered, Registry};

/// All of them. Without the path of the program `zerodb-hooks` no file's bytes are read.
pub fn registry(program: Option<&Path>) -> Registry {
    let files = Arc::new(Files::new(program.map(Path::to_path_buf)));
    let mut registry = Registry::default();
    zerodb_hooks_handlers::add_to(&mut registry);
    add(
        &mut registry,
        hooks::AutoEmbed::NAME,
        AutoEmbed::new(Arc::clone(&files)),
    );
    add(&mut registry, hooks::AutoGraph::NAME, AutoGraph);
    add(
        &mut registry,
        hooks::AutoSummarize::NAME,
        AutoSummarize::new(files),
    );
    registry
}

/// They never block, and so run on the worker's own threads.
fn add(registry: &mut Registry, name: &str, handler: impl Handler) {
    registry.insert(name, Registered::new(handler, None));
}
