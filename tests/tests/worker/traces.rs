//! Traces: from the trace context of the writer's session to the request that a receiver gets, told to a collector that
//! reads OTLP with the official messages.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use zerodb_hooks_harness::{
    Answer, Database, ModelEndpoint, PgVersion, Receiver, SOON, Session, Worker, eventually,
};

use crate::setup::{watched_table, webhook_hook};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";
const CANARY: &str = "canary-s3cret";

/// A collector in a process of its own, and the spans that it got.
struct Sink {
    process: Child,
    port: u16,
    spans: Arc<Mutex<Vec<Value>>>,
}

impl Sink {
    /// `None`, with the reason printed, where `dev/otlp_sink.sh` has installed nothing.
    fn start() -> Result<Option<Self>> {
        let home = PathBuf::from(std::env::var_os("DEV_HOME").unwrap_or_default());
        let python = home.join("otlp_sink/bin/python");
        if !python.exists() {
            println!("SKIPPED for want of dev/otlp_sink.sh");
            return Ok(None);
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/worker/otlp_sink.py");
        let mut process = Command::new(python).arg(script).stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(process.stdout.take().context("it has a stdout")?).lines();
        let port = lines.next().context("it says its port")??.parse()?;
        let spans = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&spans);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Ok(span) = serde_json::from_str(&line) {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(span);
                }
            }
        });
        Ok(Some(Self { process, port, spans }))
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The spans, once there are so many.
    async fn wait_for(&self, count: usize) -> Result<Vec<Value>> {
        eventually(SOON, async || {
            let spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
            (spans.len() >= count).then(|| spans.clone())
        })
        .await
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

fn worker(database: &Database, collector: &str, percent: &str, more: &[&str]) -> Result<Worker> {
    let mut arguments = vec![
        "--poll-ms",
        "200",
        "--otlp-endpoint",
        collector,
        "--trace-percent",
        percent,
    ];
    arguments.extend_from_slice(more);
    Worker::start_with(
        &database.worker_url(),
        &arguments,
        &[("ZERODB_SECRET_PATH", CANARY)],
    )
}

/// The names of the spans from the writer's down to the one with this id.
fn path_to(spans: &[Value], id: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut id = id.to_owned();
    while let Some(span) = spans.iter().find(|span| span["id"] == json!(id)) {
        names.insert(0, span["name"].as_str().unwrap_or_default().to_owned());
        id = span["parent"].as_str().unwrap_or_default().to_owned();
    }
    names.insert(0, id);
    names
}

/// A hook that sends what is written to `doc`, at a URL that holds a secret; and a worker that tells the collector of a
/// share of the traces that begin with it. The trace does not depend on the server's version.
struct Stage {
    session: Session,
    receiver: Receiver,
    _worker: Worker,
    _database: Database,
}

impl Stage {
    async fn set(collector: &str, percent: &str) -> Result<Self> {
        let database = Database::create(PgVersion::main()).await?;
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        watched_table(&session).await?;
        let url = receiver.url("/${ZERODB_SECRET_PATH}?token=${ZERODB_SECRET_PATH}");
        let config = json!({"url": url, "retry_delay_ms": 0});
        session.run(&webhook_hook("web", config)).await?;
        Ok(Self {
            session,
            receiver,
            _worker: worker(&database, collector, percent, &[])?,
            _database: database,
        })
    }
}

/// The first span of that name.
fn named<'s>(spans: &'s [Value], name: &str) -> Result<&'s Value> {
    let mut found = spans.iter().filter(|span| span["name"] == json!(name));
    found
        .next()
        .with_context(|| format!("no span {name} in {spans:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_goes_from_the_writer_through_the_attempt_to_the_receiver() -> Result<()> {
    let Some(sink) = Sink::start()? else {
        return Ok(());
    };
    let Stage {
        session, receiver, ..
    } = &Stage::set(&sink.url(), "0").await?;
    session.run("INSERT INTO doc (size) VALUES (41)").await?;
    receiver.wait_for(1, SOON).await?;
    let traced =
        format!("SET zerodb.traceparent = '00-{TRACE}-{SPAN}-01'; INSERT INTO doc (size) VALUES (42)");
    session.run(&traced).await?;
    let request = receiver.wait_for(2, SOON).await?.remove(1);
    let spans = sink.wait_for(3).await?;
    ensure!(spans.len() == 3, "what was not sampled was sent: {spans:#?}");
    let header = request.header("traceparent").context("a request of a trace")?;
    let [_, trace, span, flags] = header.split('-').collect::<Vec<_>>()[..] else {
        anyhow::bail!("{header} is no traceparent")
    };
    assert_eq!((trace, flags), (TRACE, "01"));
    assert!(
        spans.iter().all(|span| span["trace"] == json!(TRACE)),
        "{spans:#?}"
    );
    assert_eq!(path_to(&spans, span), [SPAN, "dispatch", "process web", "POST"]);
    assert_eq!(
        named(&spans, "POST")?["attributes"]["http.response.status_code"],
        json!(200)
    );
    let all = serde_json::to_string(&spans)?;
    assert!(!all.contains(CANARY) && !all.contains("token="), "{all}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_told_whatever_was_decided_before() -> Result<()> {
    let Some(sink) = Sink::start()? else {
        return Ok(());
    };
    let Stage {
        session, receiver, ..
    } = &Stage::set(&sink.url(), "0").await?;
    receiver.then([Answer::Status(500), Answer::Status(200), Answer::Status(503)]);
    session.run("INSERT INTO doc (size) VALUES (1)").await?;
    receiver.wait_for(2, SOON).await?;
    let traced =
        format!("SET zerodb.traceparent = '00-{TRACE}-{SPAN}-00'; INSERT INTO doc (size) VALUES (2)");
    session.run(&traced).await?;
    let requests = receiver.wait_for(4, SOON).await?;
    let spans = sink.wait_for(6).await?;
    ensure!(spans.len() == 6, "a second attempt went well: {spans:#?}");
    for (request, status) in [(&requests[0], 500), (&requests[2], 503)] {
        let header = request.header("traceparent").unwrap_or_default();
        assert!(header.ends_with("-00"), "{header}");
        let trace = header.split('-').nth(1).unwrap_or_default();
        let own: Vec<_> = spans
            .iter()
            .filter(|span| span["trace"] == json!(trace))
            .cloned()
            .collect();
        let attempt = named(&own, "process web")?;
        assert_eq!(attempt["failed"], json!(true));
        let event = json!([["exception", {"exception.message": format!("status {status}")}]]);
        assert_eq!(attempt["events"], event);
    }
    Ok(())
}

const EMBED: &str = r#"SELECT zerodb.create_store(dimensions => 8);
    SELECT zerodb.create_hook('zerodb.vector.stored', 'auto_embed', '{"model": "m", "provider": "fake", "dimensions": 8}')"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_a_model_is_part_of_its_attempt() -> Result<()> {
    let Some(sink) = Sink::start()? else {
        return Ok(());
    };
    let database = Database::create(PgVersion::main()).await?;
    let session = database.session().await?;
    let endpoint = ModelEndpoint::start()?;
    let file = tempfile::NamedTempFile::new()?;
    let providers = format!("providers:\n  fake: {{ url: \"{}\" }}\n", endpoint.url());
    std::fs::write(file.path(), providers)?;
    session.run(EMBED).await?;
    let config = file.path().display().to_string();
    let _worker = worker(&database, &sink.url(), "100", &["--config", &config])?;
    session
        .run("INSERT INTO zerodb_store.vectors (content) VALUES ('a text')")
        .await?;
    let spans = sink.wait_for(4).await?;
    let request = named(&spans, "POST")?["id"].as_str().unwrap_or_default();
    let path = ["", "dispatch", "process auto_embed", "embeddings m", "POST"];
    assert_eq!(path_to(&spans, request), path);
    let asked = &named(&spans, "embeddings m")?["attributes"];
    assert_eq!(asked["gen_ai.provider.name"], json!("fake"));
    assert!(!serde_json::to_string(&spans)?.contains("a text"));
    Ok(())
}

/// The one refuses connections, the other takes them and never answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_or_hanging_collector_holds_up_no_delivery_and_no_end() -> Result<()> {
    const EVENTS: usize = 1500;
    let hanging = TcpListener::bind("127.0.0.1:0")?;
    let dead = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let database = Database::create(PgVersion::main()).await?;
    let session = database.session().await?;
    let receiver = Receiver::start()?;
    watched_table(&session).await?;
    session
        .run(&webhook_hook("web", json!({"url": receiver.url("/")})))
        .await?;
    for (round, address) in [dead, hanging.local_addr()?].into_iter().enumerate() {
        let mut worker = worker(&database, &format!("http://{address}"), "100", &[])?;
        session
            .run(&format!(
                "INSERT INTO doc (size) SELECT generate_series(1, {EVENTS})"
            ))
            .await?;
        receiver.wait_for(EVENTS * (round + 1), SOON).await?;
        session.completed(EVENTS * (round + 1)).await?;
        assert!(worker.terminate(SOON).await?.success());
        if round == 0 {
            assert!(
                worker.stderr().contains("spans were not sent"),
                "{}",
                worker.stderr()
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_no_url_is_refused() -> Result<()> {
    let database = Database::create(PgVersion::main()).await?;
    for address in ["localhost:4318", "http://", "ftp://localhost"] {
        let mut worker = worker(&database, address, "1", &[])?;
        assert!(!worker.ended(SOON).await?.success());
        assert!(worker.stderr().contains("is no URL"), "{}", worker.stderr());
    }
    Ok(())
}
