//! The reference page of hooks, in Markdown: every type with its keys.

use std::fmt::Write;

use crate::hook_type::{FIRST_PARTY, FUNCTION};
use crate::hooks::{DeliverySettings, EXCLUSIVE, HANDLERS, Handler, HookType};
use crate::key::Key;

const HEAD: &str = "# Hooks

<!-- Made by tests/tests/contract/reference.rs from the crate `contract`: change its hooks.rs, not this page. -->

`zerodb.create_hook(event_type, hook_name, hook_config, hook_type => …)` makes a hook. Its config is one JSON object with
the keys below, and no other. A key that is null counts as left out, but for `when` and `order_by`, where null is
refused.
";

/// The text of `docs/reference/hooks.md`.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    section(&mut page, "Every hook", DeliverySettings::ABOUT);
    table(&mut page, DeliverySettings::KEYS);
    for handler in HANDLERS {
        section(&mut page, &format!("`{}`", handler.name), handler.about);
        named_by(&mut page, handler);
        table(&mut page, handler.keys);
        exclusive(&mut page, handler);
    }
    let own = "A handler of one's own, in the worker's process, that `hook_name` names. Keys that are not those of every \
        hook are its own, and not checked; `retry_delay_ms` is the wait before its second attempt.\n";
    section(&mut page, "A handler of one's own", own);
    let timeout_ms = HookType::Function { name: String::new() }.timeout_ms();
    add(
        &mut page,
        &format!("`hook_type` is `{FUNCTION}`; `timeout_ms` is {timeout_ms} by default."),
    );
    page
}

fn add(page: &mut String, line: &str) {
    page.push_str(line);
    page.push('\n');
}

fn section(page: &mut String, title: &str, about: &str) {
    add(page, &format!("\n## {title}\n\n{}\n", flowing(about)));
}

/// How a hook comes to be of this type, and how patiently it is tried.
fn named_by(page: &mut String, handler: &Handler) {
    let named = if handler.is_first_party {
        format!(
            "`hook_name` is `{}`, `hook_type` is `{FIRST_PARTY}`",
            handler.name
        )
    } else {
        format!("`hook_type` is `{}`", handler.name)
    };
    add(
        page,
        &format!("{named}; `timeout_ms` is {} by default.\n", handler.timeout_ms),
    );
}

fn table(page: &mut String, keys: &[Key]) {
    add(
        page,
        "| key | type | value | default | meaning |\n| --- | --- | --- | --- | --- |",
    );
    for key in keys {
        let default = match key.default {
            Some(default) => default(),
            None if key.is_required => "required".into(),
            None => String::new(),
        };
        let _written = writeln!(
            page,
            "| `{}` | {} | {} | {default} | {} |",
            key.name,
            key.json_type,
            (key.expected)().replace('|', "\\|"),
            flowing(key.meaning)
        );
    }
}

fn exclusive(page: &mut String, handler: &Handler) {
    let has = |name: &str| handler.keys.iter().any(|key| key.name == name);
    let both = EXCLUSIVE.iter().filter(|(key, other)| has(key) && has(other));
    for (at, (key, other)) in both.enumerate() {
        let before = if at == 0 { "\n" } else { "" };
        add(
            page,
            &format!("{before}- `{key}` and `{other}` exclude each other."),
        );
    }
}

/// One paragraph on one line.
fn flowing(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
