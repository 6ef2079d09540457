//! The official OpenAI client cannot tell the tests' model endpoint from the hosted API: its answers are read, its
//! errors raise the right classes. What is asserted stands in `openai_client.py`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::process::Command;
use zerodb_hooks_harness::ModelEndpoint;
use zerodb_hooks_harness::model_endpoint::{
    Fault, Hint, ModelProcess, Parameter, RateLimit, TokenLimit, fixed_json, vector,
};

/// The endpoints by what is wrong with them.
fn endpoints() -> Result<BTreeMap<&'static str, ModelEndpoint>> {
    let mut all = BTreeMap::new();
    for (name, fault) in faults() {
        let endpoint = ModelEndpoint::start()?;
        endpoint.embeddings.always(fault.clone());
        endpoint.chat.always(fault);
        endpoint.script(fixed_json(json!({"name": "Alice", "city": "Berlin"})));
        all.insert(name, endpoint);
    }
    for name in [
        "plain",
        "echo",
        "limited",
        "keyed",
        "no model",
        "poisoned",
        "tei",
        "llama.cpp",
    ] {
        all.insert(name, ModelEndpoint::start()?);
    }
    for name in ["refuses", "ignores base64", "spoiled", "recovers"] {
        all.insert(name, ModelEndpoint::start()?);
    }
    all["plain"].script(fixed_json(json!({"name": "Alice", "city": "Berlin"})));
    all["limited"]
        .embeddings
        .behave(|it| it.rate_limit = Some(RateLimit::per_minute(0, Hint::Everything)));
    all["keyed"]
        .embeddings
        .behave(|it| it.key = Some("sk-right".into()));
    all["no model"]
        .embeddings
        .behave(|it| it.models = Some(vec!["another".into()]));
    all["poisoned"]
        .embeddings
        .behave(|it| it.poison(|text| text.contains("poison")));
    all["tei"].embeddings.behave(|it| {
        it.max_batch = Some(2);
        it.token_limit = Some(TokenLimit::Tei(4));
    });
    all["llama.cpp"]
        .embeddings
        .behave(|it| it.token_limit = Some(TokenLimit::LlamaCpp(4)));
    for route in [&all["refuses"].embeddings, &all["refuses"].chat] {
        route.behave(|it| {
            it.refuse(Parameter::Base64);
            it.refuse(Parameter::Dimensions);
            it.refuse(Parameter::JsonObject);
            it.refuse(Parameter::MaxTokens);
            it.refuse(Parameter::Temperature);
        });
    }
    all["ignores base64"]
        .embeddings
        .behave(|it| it.ignores_base64 = true);
    all["spoiled"]
        .embeddings
        .behave(|it| it.spoil(Fault::ZeroVector, |text| text.contains("Bob")));
    let soon = Fault::RateLimited(Hint::RetryAfterMs, Duration::from_millis(1));
    all["recovers"].embeddings.fail_next(2, soon);
    Ok(all)
}

fn faults() -> Vec<(&'static str, Fault)> {
    vec![
        ("quota", Fault::InsufficientQuota),
        ("forbidden", Fault::Forbidden),
        ("500", Fault::ServerError),
        ("502", Fault::BadGateway),
        ("503", Fault::Unavailable),
        ("reset", Fault::Reset),
        ("half body", Fault::HalfBody),
        ("hang", Fault::Hang),
        ("shuffled", Fault::Shuffled),
        ("too few", Fault::TooFew),
        ("too many", Fault::TooMany),
        ("duplicate index", Fault::DuplicateIndex),
        ("wrong dimensions", Fault::WrongDimensions(3)),
        ("nan", Fault::NotANumber),
        ("nan text", Fault::NotANumberText),
        ("infinite", Fault::Infinite),
        ("zero", Fault::ZeroVector),
        ("error in success", Fault::ErrorInSuccess),
        ("truncated", Fault::TruncatedContent),
        ("length", Fault::FinishLength),
        ("filter", Fault::ContentFilter),
        ("refusal", Fault::Refusal),
        ("fence", Fault::CodeFence),
        ("think", Fault::Think),
        ("empty", Fault::EmptyContent),
        ("no choices", Fault::NoChoices),
    ]
}

fn python() -> Result<PathBuf> {
    let home = std::env::var_os("DEV_HOME").context("run it by dev/with_env.sh")?;
    let python = Path::new(&home).join("openai_client/bin/python");
    ensure!(
        python.exists(),
        "the OpenAI client is missing: run dev/openai_client.sh"
    );
    Ok(python)
}

#[tokio::test]
async fn the_official_client_sees_the_hosted_api() -> Result<()> {
    let endpoints = endpoints()?;
    let process = ModelProcess::start(&["--dimensions", "64", "--rpm", "1"])?;
    let mut urls: BTreeMap<_, _> = endpoints
        .iter()
        .map(|(name, endpoint)| (*name, endpoint.url()))
        .collect();
    urls.insert("process", process.url.clone());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/openai_client.py");
    let output = Command::new(python()?)
        .arg(script)
        .arg(serde_json::to_string(&urls)?)
        // Neither a proxy nor a key of the caller's.
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    what_was_recorded(&endpoints["plain"], &endpoints["recovers"])
}

/// The record agrees with what the script says it did.
fn what_was_recorded(plain: &ModelEndpoint, recovers: &ModelEndpoint) -> Result<()> {
    let seen = plain.inputs_seen();
    ensure!(seen.times("one text") == 1 && seen.times("Bob lives in Rome") >= 2);
    ensure!(seen.batches.contains(&3) && seen.batches.contains(&2049));
    ensure!(
        seen.sent["a"] >= 2049 && !seen.answered.contains_key("a"),
        "a refused text counts as answered"
    );
    ensure!(
        plain
            .embeddings
            .requests()
            .iter()
            .all(|request| request.key() == Some("sk-contract"))
    );
    ensure!(
        plain.chat_requests()[0]
            .schema()
            .is_some_and(|schema| schema["type"] == "object")
    );
    let counts = recovers.embeddings.counts();
    ensure!(
        (
            counts.requests,
            counts.limited,
            counts.answered,
            counts.most_at_once
        ) == (3, 2, 1, 1),
        "{counts:?}"
    );
    let texts = ["Alice founded a bakery in Berlin", "Bob lives in Rome"];
    ensure!(vector(texts[0], 8) != vector(texts[1], 8));
    Ok(())
}
