//! The YAML of the Astrocyte document, as `examples/astrocyte.yaml` has it: all of it is applied, and each of its
//! hooks is seen to fire at a real receiver, or in the worker's log.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;
use tempfile::TempDir;
use zerodb_hooks_harness::receivers::Request;
use zerodb_hooks_harness::{Receiver, SOON, Worker, eventually, on_every_server};

use crate::hook_file::{run, said};

const DOCUMENT: &str = include_str!("../../../examples/astrocyte.yaml");

/// An event of each type of the file, with what its hooks make of it: the path at the receiver and a part of the body,
/// or a part of the log.
const EVENTS: &[(&str, &str, &[Seen])] = &[
    (
        "on_retain",
        r#"{"memory_id": "m1", "content_length": 5, "tags": [], "policy_actions": []}"#,
        &[
            Seen::Sent("/audit/memory-created", "m1"),
            // It was emitted, and is about no row.
            Seen::Sent("/full", "\"content\":null"),
        ],
    ),
    (
        "on_pii_detected",
        r#"{"pii_type": "email", "action_taken": "redact"}"#,
        &[
            Seen::Sent(
                "/services/T00/B00/xxx",
                "PII detected in bank b7: email, action: redact",
            ),
            Seen::Logged("PII detected: email in bank b7"),
        ],
    ),
    (
        "on_circuit_breaker_open",
        r#"{"provider": "p", "failure_count": 5, "last_error": "x"}"#,
        &[Seen::Sent(
            "/v2/enqueue",
            "Memory provider circuit breaker open: p",
        )],
    ),
    (
        "on_noisy_bank",
        r#"{"signal": "s9", "threshold": 1, "action_taken": "warn"}"#,
        &[Seen::Sent("/services/T00/B00/yyy", "s9"), Seen::Logged("s9")],
    ),
    (
        "on_recall",
        r#"{"query": "q1", "result_count": 1, "top_score": 0.5, "latency_ms": 3}"#,
        &[Seen::Sent("/hook", "q1")],
    ),
    (
        "on_reflect",
        r#"{"query": "q", "answer_length": 1, "source_count": 1, "fallback_used": false}"#,
        &[Seen::Logged("on_reflect: b7")],
    ),
    (
        "on_forget",
        r#"{"memory_ids": ["m2"], "reason": "r", "compliance": true}"#,
        &[Seen::Sent("/audit", "m2")],
    ),
];

enum Seen {
    Sent(&'static str, &'static str),
    Logged(&'static str),
}

/// The document's YAML with these hosts.
fn document(receiver: &Receiver) -> String {
    let mut text = DOCUMENT.to_owned();
    let hosts = [
        "internal.company.com",
        "hooks.slack.com",
        "events.pagerduty.com",
        "example.com",
        "compliance.company.com",
        "audit.company.com",
    ];
    for host in hosts {
        text = text.replace(&format!("https://{host}/"), &receiver.url("/"));
    }
    assert!(!text.contains("https://"));
    text
}

fn written(folder: &TempDir, text: &str) -> Result<PathBuf> {
    let path = folder.path().join("astrocyte.yaml");
    std::fs::write(&path, text)?;
    Ok(path)
}

/// One of a hook's traces, among the requests or in the log.
async fn is_seen(event: &str, seen: &Seen, requests: &[Request], worker: &Worker) {
    match seen {
        Seen::Sent(path, part) => {
            let request = requests.iter().find(|request| request.path == *path);
            let request = request.unwrap_or_else(|| panic!("{event}: nothing at {path}"));
            let body = String::from_utf8_lossy(&request.body);
            assert!(request.method == "POST" && body.contains(part), "{event}: {body}");
        }
        Seen::Logged(part) => {
            let logged = eventually(SOON, async || worker.stderr().contains(part).then_some(())).await;
            assert!(logged.is_ok(), "{event}: {}", worker.stderr());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hook_of_the_document_is_applied_and_fires() -> Result<()> {
    on_every_server(async |database| {
        let (session, receiver, folder) = (
            database.session().await?,
            Receiver::start()?,
            tempfile::tempdir()?,
        );
        let path = written(&folder, &document(&receiver))?;
        let applied = run(&database.url(), &["apply", &path.to_string_lossy()]).await?;
        assert!(applied.status.success(), "{}", said(&applied));
        let again = run(&database.url(), &["apply", &path.to_string_lossy(), "--json"]).await?;
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&again.stdout)?,
            json!({"changes": [], "notices": [], "unchanged": 10})
        );
        let secrets = [
            ("ZERODB_SECRET_AUDIT_API_KEY", "k3y"),
            ("ZERODB_SECRET_PD_ROUTING_KEY", "r0ute"),
        ];
        let worker = Worker::start_with(&database.worker_url(), &["--poll-ms", "200"], &secrets)?;
        for (event, data, _) in EVENTS {
            session
                .run(&format!(
                    "SELECT zerodb.emit('{event}', '{data}', bank_id => 'b7')"
                ))
                .await?;
        }
        let sent: usize = EVENTS
            .iter()
            .flat_map(|(_, _, seen)| *seen)
            .filter(|seen| matches!(seen, Seen::Sent(..)))
            .count();
        let requests = receiver.wait_for(sent, SOON).await?;
        for (event, _, seen) in EVENTS {
            for seen in *seen {
                is_seen(event, seen, &requests, &worker).await;
            }
        }
        let audit = requests
            .iter()
            .find(|request| request.path == "/audit/memory-created");
        assert_eq!(
            audit.and_then(|request| request.header("authorization")),
            Some("Bearer k3y")
        );
        let paged = requests.iter().find(|request| request.path == "/v2/enqueue");
        assert_eq!(paged.expect("the page").json()?["routing_key"], json!("r0ute"));
        let envelope = requests
            .iter()
            .find(|request| request.path == "/hook")
            .expect("the full event")
            .json()?;
        assert_eq!(
            (&envelope["type"], &envelope["bank_id"]),
            (&json!("on_recall"), &json!("b7"))
        );
        assert!(
            worker
                .stderr()
                .lines()
                .any(|line| line.contains("WARN") && line.contains("PII detected: email"))
        );
        Ok(())
    })
    .await
}
