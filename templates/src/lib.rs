//! Jinja2 templates as hooks have them: what is one, what it costs, what it makes. Shared by the extension, which
//! refuses one that does not parse, and the worker. Pure.
//!
//! A template comes from anybody who may make a hook. [`check`] and [`variables`] are safe to call anywhere: they
//! refuse what would take the parser deeper than its stack before it is parsed. [`render`] bounds its steps and what it
//! writes, but not its time and memory: only what [`pieces`] knows to be plain may be rendered in a process that others
//! depend on, everything else in a child that has limits.

mod fault;
mod guard;
mod number;
mod plain;
mod quoting;
mod render;
mod texts;
mod to_json;

pub use fault::{Fault, MAX_TEMPLATE};
pub use plain::pieces;
pub use quoting::{begins_json, within};
pub use render::{Form, Own, render};
pub use texts::{texts, with_texts};

use std::collections::BTreeSet;

use minijinja::Environment;

/// Whether it can be parsed.
///
/// # Errors
/// `TooLong`, or `Wrong` with the line.
pub fn check(template: &str) -> Result<(), Fault> {
    guard::check(template)?;
    Environment::new()
        .template_from_str(template)
        .map(drop)
        .map_err(|error| Fault::of(&error))
}

/// The variables that it uses and does not set.
///
/// # Errors
/// The same as `check`.
pub fn variables(template: &str) -> Result<BTreeSet<String>, Fault> {
    guard::check(template)?;
    let environment = Environment::new();
    let parsed = environment
        .template_from_str(template)
        .map_err(|error| Fault::of(&error))?;
    Ok(parsed.undeclared_variables(false).into_iter().collect())
}

/// The [`variables`], each with what is named within it: `data.title`.
///
/// # Errors
/// The same as `check`.
pub fn paths(template: &str) -> Result<BTreeSet<String>, Fault> {
    guard::check(template)?;
    let environment = Environment::new();
    let parsed = environment
        .template_from_str(template)
        .map_err(|error| Fault::of(&error))?;
    Ok(parsed.undeclared_variables(true).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_parse_is_told_with_its_line() {
        assert_eq!(check("{{ a }} {% if b %}x{% endif %}"), Ok(()));
        let said = check("fine\n{{ oops").unwrap_err().to_string();
        assert!(said.contains("syntax error") && said.contains("line 2"), "{said}");
        assert!(
            check("{{ a|no_such_filter }}").is_ok(),
            "found out when it is rendered"
        );
        assert_eq!(check(&"x".repeat(MAX_TEMPLATE + 1)), Err(Fault::TooLong));
    }

    #[test]
    fn the_variables_are_named() {
        let names =
            variables("{% set x = 1 %}{{ title }}{{ x }}{% for p in parts %}{{ p }}{% endfor %}").unwrap();
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["parts", "title"]);
    }
}
