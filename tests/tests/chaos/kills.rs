//! Workers and servers that are killed while writers go on.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::Result;
use zerodb_hooks_tests::{Cluster, PgVersion, Receiver, Session, Worker, eventually};

use crate::factor;

const WORKERS: usize = 3;
const LONG: Duration = Duration::from_secs(300);

async fn prepare(cluster: &Cluster, receiver: &Receiver) -> Result<()> {
    let session = cluster.session("postgres").await?;
    let config = format!(
        r#"{{"url": "{}", "retry_count": 900, "retry_delay_ms": 20}}"#,
        receiver.url("/")
    );
    session
        .run(&format!(
            "CREATE EXTENSION zerodb_hooks;
             CREATE TABLE doc (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text);
             SELECT zerodb.register_event_type('doc.created', 'app', '{{doc_id}}', 'a document');
             SELECT zerodb.watch('doc', 'doc.created');
             SELECT zerodb.create_hook('doc.created', 'web', '{config}', hook_type => 'webhook')"
        ))
        .await
}

fn start(cluster: &Cluster) -> Result<Worker> {
    Worker::start_with(
        &cluster.url("postgres"),
        &["--lease-s", "2", "--poll-ms", "100"],
        &[],
    )
}

/// Writes one transaction after another until told to stop; returns the ids whose commit was acknowledged. Errors are the
/// restarts' own: the connection is made again.
async fn write(cluster: &Cluster, transactions: usize) -> Vec<i64> {
    let mut written = Vec::new();
    let mut session: Option<Session> = None;
    while written.len() < transactions * 5 {
        if session.is_none() {
            session = eventually(LONG, async || cluster.session("postgres").await.ok())
                .await
                .ok();
        }
        let Some(open) = &session else { continue };
        match open
            .texts("INSERT INTO doc (body) SELECT 'x' FROM generate_series(1, 5) RETURNING id")
            .await
        {
            Ok(ids) => written.extend(ids.iter().filter_map(|id| id.parse::<i64>().ok())),
            Err(_) => session = None,
        }
    }
    written
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_whatever_is_killed() -> Result<()> {
    for version in PgVersion::present() {
        let cluster = Cluster::start_with(version, &["fsync = on"])?;
        let receiver = Receiver::start()?;
        prepare(&cluster, &receiver).await?;
        let mut workers = (0..WORKERS)
            .map(|_| start(&cluster))
            .collect::<Result<Vec<_>>>()?;
        let transactions = 400 * factor();
        let chaos = async {
            for round in 0..8 * factor() {
                // A point of progress, not of time: the next kill comes when more has arrived.
                let seen = receiver.requests().len();
                let more = async || (receiver.requests().len() > seen + 20 * (round + 1)).then_some(());
                let _ended = eventually(Duration::from_secs(5), more).await;
                let victim = (round * 7 + 1) % WORKERS;
                workers[victim].kill9()?;
                workers[victim] = start(&cluster)?;
                if round % 4 == 3 {
                    cluster.crash()?;
                    cluster.start_again()?;
                }
            }
            anyhow::Ok(())
        };
        let (one, two, chaos) = tokio::join!(
            write(&cluster, transactions),
            write(&cluster, transactions),
            chaos
        );
        chaos?;
        let acknowledged: HashSet<i64> = one.into_iter().chain(two).collect();
        let arrived = || -> HashSet<i64> {
            let body = |request: &zerodb_hooks_tests::receiver::Request| {
                request.json().ok()?["data"]["doc_id"].as_i64()
            };
            receiver.requests().iter().filter_map(body).collect()
        };
        let complete = eventually(LONG, async || acknowledged.is_subset(&arrived()).then_some(())).await;
        let lost = acknowledged.difference(&arrived()).count();
        assert!(complete.is_ok(), "{lost} of {} are lost", acknowledged.len());
        assert_delivery_ids_are_stable(&receiver);
    }
    Ok(())
}

/// One document has one webhook-id, however often it came.
fn assert_delivery_ids_are_stable(receiver: &Receiver) {
    let mut ids: HashMap<i64, HashSet<String>> = HashMap::new();
    for request in receiver.requests() {
        if let (Ok(body), Some(id)) = (request.json(), request.header("webhook-id")) {
            ids.entry(body["data"]["doc_id"].as_i64().unwrap_or_default())
                .or_default()
                .insert(id.to_owned());
        }
    }
    assert!(ids.values().all(|ids| ids.len() == 1));
}
