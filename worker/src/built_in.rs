//! The handlers that every worker has: those of the crates `handlers` and `ai`.

use std::path::Path;

use zerodb_hooks_engine::Registry;

/// All of them. Without the path of the program `zerodb-hooks` no file's bytes are read.
pub fn registry(program: Option<&Path>) -> Registry {
    let mut registry = Registry::default();
    zerodb_hooks_handlers::add_to(&mut registry);
    zerodb_hooks_ai::add_to(&mut registry, program);
    registry
}
