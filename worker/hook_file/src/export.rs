//! Writes hooks as a file that declares them. Texts are written as JSON writes them, which YAML reads the same, but for
//! those of several lines, which stay readable. Digits stay as they are.

use serde_json::{Map, Value};
use tokio_postgres::Client;
use uuid::Uuid;
use zerodb_hooks_contract::hook_type::{FIRST_PARTY, FUNCTION};
use zerodb_hooks_contract::hooks::DeliverySettings;
use zerodb_hooks_contract::schema::OF_APPLY;
use zerodb_hooks_queries::QueryError;
use zerodb_hooks_store::row;

use crate::statements::{ACTING_USER, HOOKS_OF_USER, SET_USER};
use crate::step::Present;

/// The hooks of a tenant, or of the one for whom the connection acts, as a file. Secrets are in it as references, as
/// they are in the rows.
///
/// # Errors
/// When the database cannot be asked, or the role acts for nobody.
pub async fn export(client: &mut Client, user: Option<Uuid>) -> Result<String, QueryError> {
    let transaction = client.transaction().await?;
    if let Some(user) = user {
        transaction.query_one(SET_USER, &[&user.to_string()]).await?;
    }
    let acting: Uuid = transaction
        .query_one(ACTING_USER, &[])
        .await?
        .try_get("user_id")?;
    let (none, no_projects, no_configs): (Vec<&str>, Vec<Option<Uuid>>, Vec<Value>) = Default::default();
    let rows = transaction
        .query(HOOKS_OF_USER, &[&acting, &none, &none, &no_projects, &no_configs])
        .await?;
    transaction.rollback().await?;
    Ok(written(&row::all(&rows)?))
}

fn written(hooks: &[Present]) -> String {
    let mut event_types: Vec<&str> = Vec::new();
    for hook in hooks {
        if !event_types.contains(&hook.event_type.as_str()) {
            event_types.push(&hook.event_type);
        }
    }
    if event_types.is_empty() {
        return "hooks: {}\n".into();
    }
    let mut text = "hooks:\n".to_owned();
    for event_type in event_types {
        text.push_str(&format!("  {}:\n", key(event_type)));
        for hook in hooks.iter().filter(|hook| hook.event_type == event_type) {
            write(&mut text, hook);
        }
    }
    text
}

fn write(text: &mut String, hook: &Present) {
    let is_first_party = hook.hook_type == FIRST_PARTY;
    let hook_type = if is_first_party {
        &hook.hook_name
    } else {
        &hook.hook_type
    };
    text.push_str(&format!("    - type: {hook_type}\n"));
    let mut add = |name: &str, value: &Value| line(text, 6, name, value);
    if !is_first_party {
        add("name", &hook.hook_name.as_str().into());
    }
    if let Some(project) = hook.project_id {
        add("project", &project.to_string().into());
    }
    if !hook.is_active {
        add("active", &false.into());
    }
    let none = Map::new();
    let config = hook.hook_config.as_object().unwrap_or(&none);
    let config = config.iter().filter(|(name, _)| *name != OF_APPLY);
    let is_function = hook.hook_type == FUNCTION;
    let (own, common): (Vec<_>, Vec<_>) = config.partition(|(name, _)| is_function && !is_common(name));
    for (name, value) in common {
        add(name, value);
    }
    if !own.is_empty() {
        text.push_str("      config:\n");
        for (name, value) in own {
            line(text, 8, name, value);
        }
    }
}

fn is_common(name: &str) -> bool {
    DeliverySettings::KEYS.iter().any(|key| key.name == name)
}

fn line(text: &mut String, indent: usize, name: &str, value: &Value) {
    let blanks = " ".repeat(indent);
    let name = key(name);
    match value {
        Value::String(lines) if is_block(lines) => {
            let sign = if lines.ends_with('\n') { "|" } else { "|-" };
            text.push_str(&format!("{blanks}{name}: {sign}\n"));
            for line in lines.trim_end_matches('\n').split('\n') {
                let indented = if line.is_empty() {
                    String::new()
                } else {
                    format!("{blanks}  {line}")
                };
                text.push_str(&format!("{indented}\n"));
            }
        }
        Value::Object(entries) if !entries.is_empty() => {
            text.push_str(&format!("{blanks}{name}:\n"));
            for (name, value) in entries {
                line(text, indent + 2, name, value);
            }
        }
        value => text.push_str(&format!("{blanks}{name}: {}\n", json(value))),
    }
}

/// JSON without the signs that JSON may hold as they are and YAML may not.
fn json(value: &Value) -> String {
    let is_printable =
        |c: char| c < '\u{7f}' || ('\u{a1}'..='\u{fffd}').contains(&c) && !is_break(c) || c > '\u{ffff}';
    let mut text = String::new();
    for sign in value.to_string().chars() {
        if is_printable(sign) && sign != '\u{feff}' {
            text.push(sign);
        } else {
            text.push_str(&format!("\\u{:04x}", u32::from(sign)));
        }
    }
    text
}

/// Whether a text of several lines is the same as a block of lines: without what would need a sign of its own.
fn is_block(text: &str) -> bool {
    let is_plain = |c: char| {
        c == '\n' || (' '..='~').contains(&c) || ('\u{a1}'..='\u{d7ff}').contains(&c) && !is_break(c)
    };
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !body.ends_with('\n')
        && !body.starts_with([' ', '\n'])
        && body
            .split('\n')
            .all(|line| line.is_empty() || !line.trim().is_empty())
        && text.chars().all(is_plain)
}

/// Ends of lines for somebody.
fn is_break(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// A key without quotes where nobody takes it for anything else.
fn key(name: &str) -> String {
    let is_word = |c: char| c.is_ascii_lowercase() || matches!(c, '_' | '.');
    let words = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let plain = name.chars().all(is_word)
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !words.contains(&name);
    if plain {
        name.to_owned()
    } else {
        json(&Value::from(name))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::file::HookFile;

    fn present(event_type: &str, hook_type: &str, name: &str, config: Value) -> Present {
        Present {
            place: None,
            id: Uuid::nil(),
            event_type: event_type.into(),
            hook_type: hook_type.into(),
            hook_name: name.into(),
            project_id: None,
            hook_config: config,
            is_active: true,
            is_same: false,
        }
    }

    #[test]
    fn hooks_are_written_as_people_write_them() {
        let mut paused = present(
            "zerodb.*",
            "function",
            "mine",
            json!({"timeout_ms": 5, "own": {"a": [1]}, "managed_by": "f"}),
        );
        paused.is_active = false;
        paused.project_id = Some(Uuid::from_u128(7));
        let hooks = [
            present(
                "on_retain",
                "webhook",
                "a",
                json!({"url": "https://a.example", "body_template": "{\"a\":\n  {{ b }}}\n", "headers": {"X-A": "b"}}),
            ),
            paused,
            present("*", "log", "l", json!({"level": "info"})),
            present("on_retain", "first_party", "auto_embed", json!({})),
        ];
        let expected = "hooks:\n  on_retain:\n    - type: webhook\n      name: \"a\"\n      body_template: |\n        {\"a\":\n          {{ b }}}\n      headers:\n        \"X-A\": \"b\"\n      url: \"https://a.example\"\n    - type: auto_embed\n  \"zerodb.*\":\n    - type: function\n      name: \"mine\"\n      project: \"00000000-0000-0000-0000-000000000007\"\n      active: false\n      timeout_ms: 5\n      config:\n        own:\n          a: [1]\n  \"*\":\n    - type: log\n      name: \"l\"\n      level: \"info\"\n";
        assert_eq!(written(&hooks), expected);
        assert_eq!(written(&[]), "hooks: {}\n");
        assert_eq!(HookFile::parse_whole("x", expected.as_bytes()).mistakes, []);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn what_is_written_is_read_again(name in ".{0,12}", text in "(\\PC|[ \n\t\r\u{85}\u{2028}\u{7f}\u{0}#:|-]){0,40}", big in "-?[1-9][0-9]{0,30}(\\.[0-9]{1,20})?") {
            let number: serde_json::Number = big.parse().unwrap();
            let config = json!({name: {"text": text, "number": number, "list": [text, null, true]}});
            let file = written(&[present("on_retain", "function", "f", config.clone())]);
            let read = HookFile::parse_whole("x", file.as_bytes());
            if !read.mistakes.is_empty() {
                // A key of every hook has its own place.
                prop_assert!(read.mistakes.iter().all(|mistake| mistake.what.contains("of every hook")), "{file}\n{:?}", read.mistakes);
            } else {
                prop_assert_eq!(Value::Object(read.hooks[0].config.clone()), config, "{}", file);
            }
        }
    }
}
