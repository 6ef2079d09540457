//! The worker's file and environment: each key and variable is read, or refused or told with what was meant.

use std::process::Output;

use anyhow::Result;
use zerodb_hooks_harness::{Database, PgVersion, SOON, Worker, eventually};

/// The keys at the top of the file, of an entry of `providers` and of one of `secrets`, each with the test that sees
/// it work.
const KEYS: &[(&str, &[(&str, &str)])] = &[
    (
        "zzzzzzzz: 1",
        &[
            ("providers", "every_key_has_its_meaning"),
            ("default_provider", "the_file_of_the_documents_is_read"),
            ("secrets", "a_secret_is_bound_to_hosts_and_users"),
            (
                "hooks",
                "a_worker_applies_its_file_at_the_start_and_when_it_changes_and_keeps_the_last_good_one",
            ),
        ],
    ),
    (
        "providers:\n  a: { url: 'https://h', zzzzzzzz: 1 }",
        &[
            ("kind", "azure_has_its_own_form"),
            ("url", "every_key_has_its_meaning"),
            ("api_key", "every_key_has_its_meaning"),
            ("headers", "every_key_has_its_meaning"),
            ("api_version", "azure_has_its_own_form"),
            ("path", "the_file_of_the_documents_is_read"),
            ("models", "every_key_has_its_meaning"),
            ("model", "azure_has_its_own_form"),
            ("dimensions", "every_key_has_its_meaning"),
            ("requests_per_minute", "the_file_of_the_documents_is_read"),
            ("tokens_per_minute", "every_key_has_its_meaning"),
            ("max_batch", "every_key_has_its_meaning"),
            ("max_batch_tokens", "every_key_has_its_meaning"),
            ("max_input_tokens", "every_key_has_its_meaning"),
            ("concurrency", "every_key_has_its_meaning"),
            ("timeout_ms", "every_key_has_its_meaning"),
            ("encoding_format", "every_key_has_its_meaning"),
        ],
    ),
    (
        "secrets:\n  A: { hosts: [a.example], zzzzzzzz: 1 }",
        &[
            ("hosts", "a_secret_is_bound_to_hosts_and_users"),
            ("users", "a_secret_is_bound_to_hosts_and_users"),
        ],
    ),
];

const UNREACHABLE: &str = "postgres://w@127.0.0.1:1/x";

/// What a worker says of a file; it ends before it looks for the database.
async fn with_file(text: &str) -> Result<Output> {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
    std::fs::write(file.path(), text)?;
    let mut command = tokio::process::Command::from(zerodb_hooks_harness::programs::worker::command()?);
    command
        .args(["worker", "--database-url", UNREACHABLE, "--config"])
        .arg(file.path());
    Ok(command.output().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_of_the_file_is_without_a_row_and_no_row_without_a_test() -> Result<()> {
    let tests = concat!(
        include_str!("../../../worker/providers/src/config/tests.rs"),
        include_str!("../../../worker/providers/src/config/secrets.rs"),
        include_str!("own_hooks.rs")
    );
    for (text, keys) in KEYS {
        let answer = with_file(text).await?;
        let said = String::from_utf8_lossy(&answer.stderr).into_owned();
        assert_eq!(answer.status.code(), Some(1), "{text}: {said}");
        let names: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
        assert!(
            said.contains(&format!("zzzzzzzz: unknown key; known are {}", names.join(", "))),
            "{text}: {said}"
        );
        for (key, seen) in *keys {
            assert!(
                tests.contains(&format!("fn {seen}(")),
                "{key}: there is no test {seen}"
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_in_hooks_or_elsewhere_ends_the_worker_with_what_to_do() -> Result<()> {
    for (text, expected) in [
        (
            "hooks:\n  on_retain:\n    - type: webhook\n      ulr: https://a.example\n",
            "4:7: hooks.on_retain[0].ulr: unknown key in a hook of type webhook. Did you mean url?",
        ),
        ("hoooks: {}\n", "hoooks: unknown key"),
        ("default-provider: local\n", "write default_provider"),
        ("provider: {}\n", "write providers"),
        (
            "providers:\n  a: { url: 'https://h', api-key: x }\n",
            "write api_key",
        ),
        (
            "providers:\n  a: { kind: candle, path: /m, timeout_ms: 5 }\n",
            "providers.a.timeout_ms: a provider in process has no such key",
        ),
        ("secrets:\n  A: { host: [a.example] }\n", "write hosts"),
        (
            "secrets:\n  A: { hosts: [a.example] }\n  A: { hosts: [b.example] }\n",
            "twice",
        ),
    ] {
        let answer = with_file(text).await?;
        let said = String::from_utf8_lossy(&answer.stderr).into_owned();
        assert_eq!(answer.status.code(), Some(1), "{text}: {said}");
        assert!(said.contains(expected), "{text}: {said}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_means_nothing_is_told_at_the_start() -> Result<()> {
    let Some(version) = PgVersion::present().first() else {
        return Ok(());
    };
    let database = Database::create(version).await?;
    let variables = [
        ("ZERODB_HOOKS_POLLMS", "5"),
        ("ZERODB_SECRET_low", "k3y"),
        ("ZERODB_SECRET_A", "k3y"),
        ("ZERODB_HOOKS_LOG", "info"),
    ];
    let worker = Worker::start_with(&database.worker_url(), &[], &variables)?;
    let told = eventually(SOON, async || {
        worker.stderr().contains("the worker runs").then_some(())
    })
    .await;
    let log = worker.stderr();
    assert!(told.is_ok(), "{log}");
    assert!(
        log.contains("ZERODB_HOOKS_POLLMS: not read; did you mean ZERODB_HOOKS_POLL_MS?"),
        "{log}"
    );
    assert!(
        log.contains("ZERODB_SECRET_low: nothing can refer to it"),
        "{log}"
    );
    assert!(
        !log.contains("ZERODB_SECRET_A:") && !log.contains("ZERODB_HOOKS_LOG:") && !log.contains("k3y"),
        "{log}"
    );
    Ok(())
}
