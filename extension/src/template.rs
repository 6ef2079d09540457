//! Finds the fields that a template over events names, for the check of a hook against its event types.

use std::collections::BTreeSet;

use pgrx::prelude::*;

/// Functions that a template has without asking.
const FUNCTIONS: &[&str] = &["debug", "dict", "namespace", "range"];

/// `zerodb._template_variables`: the fields that a template names, those within `data` too; none for what does not
/// parse.
#[pg_extern(name = "_template_variables", immutable, strict)]
fn variables(template: &str) -> Vec<String> {
    let Ok(paths) = zerodb_hooks_templates::paths(template) else {
        return Vec::new();
    };
    let names: BTreeSet<&str> = paths
        .iter()
        .map(|path| field(path))
        .filter(|name| !FUNCTIONS.contains(name))
        .collect();
    names.into_iter().map(str::to_owned).collect()
}

/// `data.a.b` and `event.data.a` name the field `a`, as `a` itself does.
fn field(path: &str) -> &str {
    let within = path.strip_prefix("event.").unwrap_or(path).strip_prefix("data.");
    let path = within.unwrap_or(path);
    path.split_once('.').map_or(path, |(first, _)| first)
}
