//! What a worker tells those who watch it: whether it lives and works, and what it counts.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;
use serde_json::json;
use zerodb_hooks_harness::asking::get;
use zerodb_hooks_harness::{
    Answer, Database, Monitoring, Receiver, SOON, Session, Worker, eventually, on_every_server,
};
use zerodb_hooks_worker::metrics::{Kind, TABLE};

use crate::setup::{watched_table, webhook_hook};
use crate::watched::{Watched, any_database};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const TENANT: &str = "7e4a17aa-0000-4000-8000-00000000cafe";

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_ready_while_it_takes_work_and_is_watched_to_its_end() -> Result<()> {
    let database = any_database().await?;
    let session = database.session().await?;
    let receiver = Receiver::start()?;
    watched_table(&session).await?;
    session
        .run(&webhook_hook("web", json!({"url": receiver.url("/")})))
        .await?;
    let mut watched = Watched::start(&database.worker_url(), &[], &[]).await?;
    eventually(SOON, async || {
        (watched.get("/readyz").ok()?.status == 200).then_some(())
    })
    .await?;
    assert_eq!(watched.get("/healthz")?.status, 200);
    let address = watched.address.to_string();
    let mut second = Worker::start_with(&database.worker_url(), &["--http", &address], &[])?;
    assert!(!second.ended(SOON).await?.success());
    assert!(
        second.stderr().contains(&address) && second.stderr().contains("in use"),
        "{}",
        second.stderr()
    );
    let (held, answer) = Answer::held(200);
    receiver.always(answer);
    session.run("INSERT INTO doc (size) VALUES (1)").await?;
    receiver.wait_for(1, SOON).await?;
    let asked = watched.address;
    let (ended, seen) = tokio::join!(watched.worker.terminate(SOON), async {
        let stopping = eventually(SOON, async || {
            let answer = get(asked, "/readyz", "").ok()?;
            (answer.status == 503 && answer.body == "stopping\n").then_some(())
        });
        let stopping = stopping.await;
        let counted = get(asked, "/metrics", "").map(|answer| answer.body);
        drop(held);
        stopping.and(counted)
    });
    assert!(
        seen?.contains("zerodb_hooks_deliveries_in_flight 1\n"),
        "the drain is seen"
    );
    assert!(ended?.success());
    assert!(
        get(asked, "/healthz", "").is_err(),
        "the server ends with the worker"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_a_worker_lives_is_not_ready_and_answers_a_scrape() -> Result<()> {
    let watched = Watched::start("postgres://nobody@localhost:1/none", &[], &[]).await?;
    watched.reaches("process_start_time_seconds", &[], 1.0).await?;
    assert_eq!(watched.get("/healthz")?.status, 200);
    let ready = watched.get("/readyz")?;
    assert_eq!((ready.status, ready.body.as_str()), (503, "starting\n"));
    Ok(())
}

/// Hooks of each handler that there is a metric for; one fails, one has a secret name for its tenant.
async fn work(session: &Session, receiver: &Receiver, moved: &Receiver) -> Result<()> {
    moved.always(Answer::Status(302));
    watched_table(session).await?;
    let url = receiver.url("/hush/canary");
    session.run(&webhook_hook("sound", json!({"url": url}))).await?;
    session
        .run(&webhook_hook("failing", json!({"url": moved.url("/")})))
        .await?;
    session
        .run(&format!(
            "SELECT zerodb.create_hook('doc.created', 'of-a-tenant', '{{}}', hook_type => 'log', user_id => '{TENANT}');
             SELECT zerodb.create_hook('doc.created', 'lacking', '{{}}', hook_type => 'function');
             SELECT zerodb.create_store(); SET zerodb.traceparent = '00-{TRACE}-b7ad6b7169203331-01';
             SELECT zerodb.create_hook('zerodb.vector.stored', 'auto_embed', '{{}}');
             SELECT zerodb.set_budget(tokens_per_day => 1000000)"
        ))
        .await?;
    session
        .run(&format!(
            "INSERT INTO zerodb_store.vectors (id, content) VALUES ('bird', 'a canary sings');
             INSERT INTO doc (body, size, user_id) VALUES ('canary', 1, '{TENANT}')"
        ))
        .await
}

/// What `work` comes to: parts of labels, and the least value.
const COUNTED: &[(&str, &[&str], f64)] = &[
    (
        "zerodb_hooks_hook_attempts_total",
        &["hook=\"sound\"", "scope=\"global\"", "completed"],
        1.0,
    ),
    (
        "zerodb_hooks_hook_attempts_total",
        &["hook=\"failing\"", "discarded"],
        1.0,
    ),
    (
        "zerodb_hooks_hook_attempts_total",
        &["of-a-tenant", "scope=\"tenant\"", "completed"],
        1.0,
    ),
    (
        "zerodb_hooks_attempts_total",
        &["handler=\"missing\"", "failed"],
        1.0,
    ),
    (
        "zerodb_hooks_attempts_total",
        &["handler=\"auto_embed\"", "completed"],
        1.0,
    ),
    (
        "zerodb_hooks_webhook_requests_total",
        &["result=\"success\""],
        1.0,
    ),
    (
        "zerodb_hooks_webhook_requests_total",
        &["result=\"http_3xx\""],
        1.0,
    ),
    ("zerodb_hooks_given_up_total", &["permanent"], 1.0),
    ("zerodb_hooks_model_requests_total", &["provider=\"local\""], 1.0),
    ("zerodb_hooks_active_hooks", &[], 5.0),
    ("zerodb_hooks_workers", &["alive"], 1.0),
    ("zerodb_hooks_backlog", &["not_due"], 1.0),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_of_the_table_counts_what_was_done_and_tells_no_data() -> Result<()> {
    let database = any_database().await?;
    let session = database.session().await?;
    let (receiver, moved) = (Receiver::start()?, Receiver::start()?);
    work(&session, &receiver, &moved).await?;
    // A provider that was limited once.
    session
        .run("INSERT INTO zerodb.endpoint (name) VALUES ('openai')")
        .await?;
    let watched = Watched::start(&database.worker_url(), &[], &[]).await?;
    for (name, labels, least) in COUNTED {
        watched.reaches(name, labels, *least).await?;
    }
    is_the_table(&watched)?;
    let exemplars = get(
        watched.address,
        "/metrics",
        "accept: application/openmetrics-text; version=1.0.0\r\n",
    )?;
    assert!(
        exemplars.head.contains("application/openmetrics-text"),
        "{}",
        exemplars.head
    );
    assert!(exemplars.body.contains(&format!("# {{trace_id=\"{TRACE}\"}}")));
    for data in [
        "canary",
        "hush",
        TENANT,
        "bird",
        &database.name,
        "127.0.0.1",
        "postgres",
    ] {
        assert!(!exemplars.body.contains(data), "{data} is told");
    }
    if let Some(monitoring) = Monitoring::found() {
        monitoring.promtool(
            Path::new("."),
            &["check", "metrics"],
            &watched.get("/metrics")?.body,
        )?;
    }
    Ok(())
}

fn is_the_table(watched: &Watched) -> Result<()> {
    let text = watched.get("/metrics")?.body;
    let found: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .collect();
    let kind = |kind: Kind| kind.name();
    let known: Vec<String> = TABLE
        .iter()
        .map(|one| format!("{} {}", one.name, kind(one.kind)))
        .collect();
    let absent: Vec<&String> = known.iter().filter(|one| !found.contains(one.as_str())).collect();
    assert!(absent.is_empty(), "absent: {absent:?}");
    let unknown: Vec<_> = found
        .iter()
        .filter(|one| !known.iter().any(|known| known == *one))
        .collect();
    assert!(unknown.is_empty(), "not in the table: {unknown:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_the_database_are_exported_by_one_worker_and_by_another_when_it_is_gone() -> Result<()> {
    on_every_server(async |database| one_exports(database).await).await
}

async fn one_exports(database: Database) -> Result<()> {
    let session = database.session().await?;
    watched_table(&session).await?;
    // Its handler is nowhere: what it has failed at waits for its time.
    session
        .run("SELECT zerodb.create_hook('doc.created', 'lacking', '{}', hook_type => 'function')")
        .await?;
    let mut workers = Vec::new();
    for _ in 0..2 {
        workers.push(Watched::start(&database.worker_url(), &[], &[]).await?);
    }
    session
        .run("INSERT INTO doc (size) SELECT n FROM generate_series(1, 3) AS n")
        .await?;
    let exporters = |workers: &[Watched]| -> Vec<usize> {
        let exports = |one: &Watched| {
            one.series()
                .is_ok_and(|all| all.contains_key("zerodb_hooks_sampled_timestamp_seconds"))
        };
        (0..workers.len()).filter(|at| exports(&workers[*at])).collect()
    };
    let first = eventually(SOON, async || match exporters(&workers)[..] {
        [one] => Some(one),
        _ => None,
    });
    let first = first.await?;
    workers[first]
        .reaches("zerodb_hooks_workers", &["alive"], 2.0)
        .await?;
    workers[first]
        .reaches("zerodb_hooks_backlog", &["not_due"], 1.0)
        .await?;
    assert_eq!(exporters(&workers), [first]);
    workers.remove(first).worker.kill9()?;
    eventually(SOON, async || (exporters(&workers) == [0]).then_some(())).await?;
    workers[0]
        .reaches("zerodb_hooks_backlog", &["not_due"], 1.0)
        .await
}
