//! The JSON Schema of files with hooks is what the contract says, refuses nothing that the contract takes, and takes
//! the document's own YAML. `ZERODB_BLESS=1` writes it anew. What it takes is asked of Python's `jsonschema`, where
//! that is installed; a validator in Rust would change the features of what the worker is built of.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use zerodb_hooks_contract::check::{faults, keys};
use zerodb_hooks_contract::hooks::HANDLERS;
use zerodb_hooks_contract::schema;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/hooks.schema.json");
const DOCUMENT: &str = include_str!("../../../examples/astrocyte.yaml");

/// Why each instance, and each text of YAML, is refused; `None` where it is taken. Nothing where there is no validator.
fn verdicts(instances: &[Value], yaml: &[&str]) -> Result<Option<(Vec<Value>, Vec<Value>)>> {
    let installed = Command::new("python3")
        .args(["-c", "import jsonschema, yaml"])
        .output();
    if !installed.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: there is no python3 with jsonschema and yaml");
        return Ok(None);
    }
    let asked = json!({"schema": schema::document(), "instances": instances, "yaml": yaml});
    let mut python = Command::new("python3")
        .args(["-W", "ignore", "-c", include_str!("hook_schema.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    python
        .stdin
        .take()
        .context("its stdin")?
        .write_all(asked.to_string().as_bytes())?;
    let output = python.wait_with_output()?;
    ensure!(output.status.success(), "the validator failed");
    let answers: Value = serde_json::from_slice(&output.stdout)?;
    let list = |key: &str| answers[key].as_array().cloned().context("a list");
    Ok(Some((list("instances")?, list("yaml")?)))
}

/// A file with one hook of a type and config.
fn file(handler: &str, config: &Map<String, Value>) -> Value {
    let mut entry = Map::from_iter([("type".to_owned(), handler.into())]);
    entry.extend(config.clone());
    json!({"hooks": {"on_retain": [entry]}})
}

#[test]
fn the_file_for_editors_is_what_the_contract_says() -> Result<()> {
    let made = format!("{:#}\n", schema::document());
    if std::env::var_os("ZERODB_BLESS").is_some() {
        std::fs::write(FILE, &made)?;
    }
    let written = std::fs::read_to_string(Path::new(FILE)).context(FILE)?;
    ensure!(
        written == made,
        "{FILE} is not what the contract says, ZERODB_BLESS=1 writes it anew"
    );
    Ok(())
}

/// Values of each kind, for each key of each type: what the contract takes is valid.
#[test]
fn the_schema_refuses_nothing_that_the_contract_takes() -> Result<()> {
    let values = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(64),
        json!(5000),
        json!(-1),
        json!(1.5),
        json!(4_000_000_000_u64),
        json!(""),
        json!(" "),
        json!("x"),
        json!("POST"),
        json!("info"),
        json!("native"),
        json!("{{ bank_id }}"),
        json!("$.n > 1"),
        json!("https://a.example"),
        json!("HTTP://a.example/x?y=${ZERODB_SECRET_A}"),
        json!("${ZERODB_SECRET_A}"),
        json!({}),
        json!([]),
        json!({"x-a": "b", "x-b": null}),
        json!({"x a": "b"}),
        json!({"x": 1}),
    ];
    let (mut instances, mut expected) = (Vec::new(), Vec::new());
    for handler in HANDLERS {
        let needed = [("webhook", "url", "https://a.example"), ("sql", "function", "f")];
        let base = needed.into_iter().filter(|(name, ..)| *name == handler.name);
        let base: Map<String, Value> = base.map(|(_, key, value)| (key.into(), value.into())).collect();
        for (key, value) in keys(handler).flat_map(|key| values.iter().map(move |value| (key, value))) {
            let mut config = base.clone();
            config.insert(key.name.into(), value.clone());
            let hook_type = if handler.is_first_party {
                "first_party"
            } else {
                handler.name
            };
            let faults = faults(hook_type, handler.name, &Value::Object(config.clone()));
            if key.name != schema::OF_APPLY {
                instances.push(file(handler.name, &config));
                expected.push(faults);
            }
        }
    }
    let Some((answers, _)) = verdicts(&instances, &[])? else {
        return Ok(());
    };
    let (mut taken, mut refused) = (0, 0);
    for ((instance, faults), answer) in instances.iter().zip(&expected).zip(&answers) {
        assert!(
            answer.is_null() || !faults.is_empty(),
            "refused by the schema alone: {instance} {answer}"
        );
        taken += usize::from(faults.is_empty());
        refused += usize::from(!answer.is_null());
    }
    println!(
        "{} values: {taken} taken, {refused} refused by both",
        instances.len()
    );
    assert!(taken > 200 && refused > 500, "{taken} taken, {refused} refused");
    Ok(())
}

#[test]
fn the_schema_takes_the_document_and_refuses_what_no_file_may_have() -> Result<()> {
    let good = [
        DOCUMENT,
        "hooks:",
        "hooks: {}",
        "hooks: {on_retain: }",
        "hooks: {'*': [{type: log}], zerodb.*: [{type: log, active: false}]}",
        "hooks: {on_retain: [{type: function, name: f, config: {type: 1, any: [2]}, timeout_ms: 5}]}",
        "hooks: {on_retain: [{type: auto_embed, template: 'x', content: }]}",
        "providers: {a: {kind: candle}}\ndefault_provider: a\nsecrets: {A: {hosts: [a]}}",
    ];
    let bad = [
        "hoks: {}",
        "hooks: []",
        "hooks: {on_retain: {type: log}}",
        "hooks: {On-Retain: []}",
        "hooks: {on_retain: [{}]}",
        "hooks: {on_retain: [{type: webhok}]}",
        "hooks: {on_retain: [{type: webhook}]}",
        "hooks: {on_retain: [{type: log, levle: info}]}",
        "hooks: {on_retain: [{type: log, managed_by: x}]}",
        "hooks: {on_retain: [{type: log, timeout_ms: '5'}]}",
        "hooks: {on_retain: [{type: log, name: 'a b'}]}",
        "hooks: {on_retain: [{type: log, config: {}}]}",
        "hooks: {on_retain: [{type: function}]}",
        "hooks: {on_retain: [{type: function, name: f, mine: 1}]}",
        "hooks: {on_retain: [{type: auto_embed, name: x}]}",
        "hooks: {on_retain: [{type: auto_embed, template: 'x', content: 'y'}]}",
    ];
    let all: Vec<&str> = good.into_iter().chain(bad).collect();
    let Some((_, answers)) = verdicts(&[], &all)? else {
        return Ok(());
    };
    for (at, (text, answer)) in all.iter().zip(&answers).enumerate() {
        assert_eq!(answer.is_null(), at < good.len(), "{text}\n{answer}");
    }
    Ok(())
}
