//! That every option of a hook works or is refused: the keys of each handler, with the test that sees each one work;
//! what is refused when a hook is made; patterns.

mod keys;

use std::path::Path;

use serde_json::{Value, json};
use zerodb_hooks_contract::Key;
use zerodb_hooks_contract::hooks::{self, DeliverySettings, HookType};
use zerodb_hooks_harness::{Result, Session, on_every_server};

use keys::{ANY, HANDLERS, Row};

/// An event type for a handler's hook, and the store's table that has what it needs.
fn event_of(hook_name: &str, key: &str) -> &'static str {
    match (hook_name, key) {
        ("auto_embed", "chunk_table" | "chunk_tokens" | "chunk_overlap") | ("auto_summarize", _) => {
            "zerodb.file.uploaded"
        }
        ("auto_embed", _) => "zerodb.vector.stored",
        ("auto_graph", _) => "zeromemory.remembered",
        (_, "include_content") => "on_retain",
        _ => "on_import",
    }
}

pub async fn prepared(session: &Session) -> Result<()> {
    session
        .run("SELECT zerodb.create_store(dimensions => 8); CREATE FUNCTION public.f(event jsonb) RETURNS void LANGUAGE sql AS ''")
        .await
}

/// Makes a hook, and deletes it again.
pub fn make(event: &str, name: &str, hook_type: &str, config: &Value) -> String {
    let config = config.to_string().replace('\'', "''");
    format!(
        "SELECT zerodb.delete_hook((zerodb.create_hook('{event}', '{name}', '{config}', hook_type => '{hook_type}')).id)"
    )
}

fn with(config: &str, key: &str, value: &str) -> Result<Value> {
    let mut config: Value = serde_json::from_str(config)?;
    config[key] = serde_json::from_str(value)?;
    Ok(config)
}

#[tokio::test]
async fn every_key_is_taken_with_what_it_can_do_and_refused_with_anything_else() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        prepared(&session).await?;
        for (hook_type, name, config, own) in HANDLERS {
            for (key, good, bad, _) in own.iter().chain(ANY) {
                let event = event_of(name, key);
                session
                    .run(&make(event, name, hook_type, &with(config, key, good)?))
                    .await?;
                // Null is left out, but for a key that there must be.
                let nothing = make(event, name, hook_type, &with(config, key, "null")?);
                match *key {
                    "url" | "function" => {
                        let said = session.error(&nothing).await?.message;
                        assert!(said.contains(&format!("needs \"{key}\"")), "{name} {key}: {said}");
                    }
                    // No condition, where one was meant.
                    "when" | "order_by" => assert_eq!(session.error(&nothing).await?.code, "22023"),
                    _ => session.run(&nothing).await?,
                }
                let error = session
                    .error(&make(event, name, hook_type, &with(config, key, bad)?))
                    .await?;
                assert_eq!(error.code, "22023", "{name} {key}: {error:?}");
                assert!(
                    error.message.contains(key) && error.hint.is_some(),
                    "{name} {key}: {error:?}"
                );
            }
        }
        Ok(())
    })
    .await
}

/// The rows above are all keys that there are, by the crate and by what the installed extension says, and each names
/// what some test of the repository uses.
#[tokio::test]
async fn no_key_is_without_a_row_and_no_row_without_a_test() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = tests_text(&root.join("tests"))? + &tests_text(&root.join("../worker"))?;
    let names = |keys: &[Key]| keys.iter().map(|key| key.name).collect::<Vec<_>>();
    let of_rows = |rows: &[Row]| rows.iter().map(|row| row.0).collect::<Vec<_>>();
    assert_eq!(of_rows(ANY), names(DeliverySettings::KEYS));
    assert_eq!(HANDLERS.len(), hooks::HANDLERS.len());
    on_every_server(async |db| {
        let session = db.session().await?;
        prepared(&session).await?;
        for ((hook_type, name, config, own), handler) in HANDLERS.iter().zip(hooks::HANDLERS) {
            assert_eq!(HookType::of(hook_type, name)?, handler.hook_type);
            assert_eq!(of_rows(own), names(handler.keys), "{name}");
            let unknown = make(
                event_of(name, ""),
                name,
                hook_type,
                &with(config, "zzzzzzzz", "1")?,
            );
            let detail = session.error(&unknown).await?.detail.unwrap_or_default();
            let keys = [of_rows(own), of_rows(ANY)].concat();
            assert_eq!(detail, format!("Its keys: {}.", keys.join(", ")), "{name}");
            for (key, _, _, seen) in own.iter().chain(ANY) {
                assert!(
                    tests.contains(&format!("fn {seen}(")),
                    "{name} {key}: there is no test {seen}"
                );
            }
        }
        Ok(())
    })
    .await
}

/// The text of all tests, also of those beside the worker's code.
fn tests_text(root: &Path) -> Result<String> {
    let mut text = String::new();
    for entry in std::fs::read_dir(root)? {
        let path = entry?.path();
        if path.is_dir() {
            text.push_str(&tests_text(&path)?);
        } else if path.extension().is_some_and(|end| end == "rs") {
            text.push_str(&std::fs::read_to_string(&path)?);
        }
    }
    Ok(text)
}

#[tokio::test]
async fn a_slip_is_told_with_what_was_meant() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        prepared(&session).await?;
        for (event, name, hook_type, config, message, hint) in [
            ("on_import", "w", "webhook", json!({"url": "https://a.example", "retryCount": 1}), "unknown key \"retryCount\"", "\"retry_count\""),
            ("on_import", "w", "webhook", json!({"url": "https://a.example", "timeout-ms": null}), "unknown key \"timeout-ms\"", "\"timeout_ms\""),
            ("on_import", "l", "log", json!({"mesage": "x"}), "unknown key \"mesage\"", "\"message\""),
            ("on_import", "l", "log", json!({"xyzzy": 1}), "unknown key \"xyzzy\"", "Remove the key"),
            ("zerodb.vector.stored", "auto_embed", "first_party", json!({"template": "{{ content }}", "content": "content"}),
                "\"template\" and \"content\"", "Leave one"),
            ("zerodb.vector.stored", "auto_embed", "first_party", json!({"chunk_tokens": 100}), "nothing to work on", "primary key"),
            ("on_pii_detected", "l", "log", json!({"message": "{{ pii_typ }}"}), "names 'pii_typ'", "'pii_type'"),
            ("on_pii_detected", "w", "webhook", json!({"url": "https://a.example", "body_template": "{{ data.pii_typ }}"}), "names 'pii_typ'", "'pii_type'"),
            ("zerodb.table.*", "l", "log", json!({"message": "{{ bank_idd }}"}), "names 'bank_idd'", "'bank_id'"),
        ] {
            let error = session.error(&make(event, name, hook_type, &config)).await?;
            assert_eq!(error.code, "22023", "{config}: {error:?}");
            assert!(error.message.contains(message), "{config}: {}", error.message);
            assert!(error.hint.as_ref().is_some_and(|said| said.contains(hint)), "{config}: {error:?}");
        }
        // What the events do have, and what is the template's own.
        for message in [
            "{{ event_type }}: {{ pii_type }} in {{ bank_id }}, {{ data.action_taken }}, {{ event.data.pii_type }}, {{ event.type }}, {{ trace_id }}",
            "{% set x = pii_type %}{% for c in x %}{{ loop.index }}{{ c }}{% endfor %}{{ range(3)|length }}",
        ] {
            session.run(&make("on_pii_detected", "l", "log", &json!({"message": message}))).await?;
        }
        session.run(&make("*", "l", "log", &json!({"message": "{{ of_some_type }}"}))).await
    })
    .await
}

#[tokio::test]
async fn a_key_that_is_null_is_not_kept() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let made = session
            .json(r#"SELECT hook_config FROM zerodb.create_hook('on_import', 'w',
                '{"url": "https://a.example", "body_template": null, "max_attempts": null, "headers": {"x-a": null}}', hook_type => 'webhook')"#)
            .await?;
        assert_eq!(made, json!({"url": "https://a.example", "headers": {}}));
        let changed = session
            .json(r#"SELECT (zerodb.update_hook(id, '{"url": "https://b.example", "concurrency": null}')).hook_config FROM zerodb.zerodb_hooks"#)
            .await?;
        assert_eq!(changed, json!({"url": "https://b.example"}));
        // An in-process handler's own keys are its own matter.
        let own = session
            .json(r#"SELECT hook_config FROM zerodb.create_hook('on_import', 'f', '{"mine": null, "timeout_ms": null}', hook_type => 'function')"#)
            .await?;
        assert_eq!(own, json!({"mine": null}));
        Ok(())
    })
    .await
}
