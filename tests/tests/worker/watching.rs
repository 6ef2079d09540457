//! `zerodb-hooks tail` and `top`, as somebody sees them who watches while it happens.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use zerodb_hooks_harness::{Cluster, Database, PgVersion, SOON, Session, Worker, eventually};

use crate::setup::{recording_hook, watched_table, worker};

/// A program that speaks line by line until it is told to stop.
struct Speaker {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Speaker {
    fn start(url: &str, arguments: &[&str]) -> Result<Self> {
        let mut command = zerodb_hooks_harness::programs::worker::command()?;
        let mut child = command
            .args(arguments)
            .env("DATABASE_URL", url)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (said, heard) = (child.stdout.take().context("a pipe")?, Arc::clone(&lines));
        std::thread::spawn(move || {
            for line in BufReader::new(said).lines().map_while(Result::ok) {
                heard.lock().expect("nobody panics").push(line);
            }
        });
        Ok(Self { child, lines })
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("nobody panics").clone()
    }

    /// The lines once there are at least so many.
    async fn wait_for(&self, count: usize) -> Result<Vec<String>> {
        let found = eventually(SOON, async || {
            Some(self.lines()).filter(|lines| lines.len() >= count)
        })
        .await;
        found.with_context(|| format!("{count} lines of {:?}", self.lines()))
    }

    /// Waits for a line, of JSON, that is so.
    async fn sees(&self, is_so: impl Fn(&Value) -> bool) -> Result<()> {
        let look = async || {
            let lines = self.lines();
            let mut pages = lines.iter().filter_map(|line| serde_json::from_str(line).ok());
            pages.any(|page| is_so(&page)).then_some(())
        };
        eventually(SOON, look)
            .await
            .with_context(|| format!("{:?}", self.lines().last()))
    }

    /// Ends it as Ctrl-C does; its exit code.
    async fn interrupt(&mut self) -> Result<Option<i32>> {
        let pid = self.child.id().to_string();
        ensure!(
            Command::new("kill").args(["-s", "INT", &pid]).status()?.success(),
            "it has ended already"
        );
        let ended = eventually(Duration::from_secs(10), async || {
            self.child.try_wait().ok().flatten()
        })
        .await;
        Ok(ended.context("it goes on")?.code())
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `kind event outcome` of each line.
fn kinds(lines: &[String]) -> Result<Vec<String>> {
    let one = |line: &String| -> Result<String> {
        let line: Value = serde_json::from_str(line)?;
        let word = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        Ok(format!("{} {} {}", word("kind"), word("event"), word("outcome"))
            .trim_end()
            .to_owned())
    };
    lines.iter().map(one).collect()
}

/// A hook that goes well, one that does not, and an event type that nobody wants.
async fn hooks(session: &Session) -> Result<()> {
    watched_table(session).await?;
    recording_hook(session, "record", "{}").await?;
    session
        .run(
            "CREATE FUNCTION fails(event jsonb) RETURNS void LANGUAGE sql AS 'SELECT 1 / 0';
             SELECT zerodb.create_hook('doc.created', 'fails', '{\"function\": \"public.fails\", \"max_attempts\": 1}', hook_type => 'sql');
             SELECT zerodb.register_event_type('other.made', 'other', '{}', 'another')",
        )
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn tail_follows_events_and_attempts_by_its_filters_until_ctrl_c() -> Result<()> {
    let database = Database::create(PgVersion::main()).await?;
    let session = database.session().await?;
    hooks(&session).await?;
    let _worker = worker(&database)?;
    // What a long transaction writes comes below what was seen, and is found all the same.
    let long = database.session().await?;
    long.run("BEGIN; INSERT INTO doc (size) VALUES (1)").await?;
    let mut all = Speaker::start(
        &database.url(),
        &["tail", "-f", "--events", "--type", "doc.*", "--json"],
    )?;
    let mut failures = Speaker::start(
        &database.url(),
        &["tail", "-f", "--hook", "fails", "--state", "discarded", "--json"],
    )?;
    session.run("SELECT zerodb.emit('other.made', '{}')").await?;
    // Both look before the first event is there.
    let looks = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'zerodb-hooks tail' AND query LIKE '%completion%'";
    session.becomes(looks, 2).await?;
    session.run("INSERT INTO doc (size) VALUES (2)").await?;
    all.wait_for(3).await?;
    long.run("COMMIT").await?;
    let lines = all.wait_for(6).await?;
    let mut found = kinds(&lines)?;
    found.sort();
    let (failed, ended) = ("attempt doc.created discarded", "attempt doc.created completed");
    assert_eq!(
        found,
        [
            ended,
            ended,
            failed,
            failed,
            "event doc.created",
            "event doc.created"
        ]
    );
    assert_eq!(kinds(&failures.wait_for(2).await?)?, [failed, failed]);
    assert_eq!(
        (all.interrupt().await?, failures.interrupt().await?),
        (Some(0), Some(0))
    );
    assert_eq!(all.lines().len(), 6);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tail_goes_on_when_the_server_comes_back_and_tells_nothing_twice() -> Result<()> {
    let cluster = Cluster::start(PgVersion::main())?;
    let session = cluster.session("postgres").await?;
    session.run("CREATE EXTENSION zerodb_hooks").await?;
    watched_table(&session).await?;
    recording_hook(&session, "record", "{}").await?;
    let url = cluster.url("postgres");
    let _worker = Worker::start_with(&url, &["--poll-ms", "200"], &[])?;
    session.run("INSERT INTO doc (size) VALUES (1)").await?;
    session.completed(1).await?;
    let mut tail = Speaker::start(&url, &["tail", "-f", "--since", "1h", "--json"])?;
    tail.wait_for(1).await?;
    cluster.stop("fast")?;
    cluster.start_again()?;
    let session = cluster.session("postgres").await?;
    session.run("INSERT INTO doc (size) VALUES (2)").await?;
    tail.wait_for(2).await?;
    session.completed(2).await?;
    assert_eq!(tail.interrupt().await?, Some(0));
    assert_eq!(tail.lines().len(), 2, "{:?}", tail.lines());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn top_tells_rates_backlog_and_the_hooks_with_trouble() -> Result<()> {
    let database = Database::create(PgVersion::main()).await?;
    let session = database.session().await?;
    watched_table(&session).await?;
    recording_hook(&session, "record", "{}").await?;
    let url = database.url();
    let mut top = Speaker::start(&url, &["top", "--json", "--every", "200ms"])?;
    top.wait_for(1).await?;
    session
        .run("INSERT INTO doc (size) SELECT generate_series(1, 500)")
        .await?;
    top.sees(|page| page["status"]["undispatched_events"] == 500)
        .await?;
    top.sees(|page| page["written_per_second"].as_f64().is_some_and(|rate| rate > 0.0))
        .await?;
    let _worker = worker(&database)?;
    top.sees(|page| {
        page["ended_per_second"]["completed"]
            .as_f64()
            .is_some_and(|rate| rate > 0.0)
    })
    .await?;
    top.sees(|page| page["status"]["hooks"][0]["completed_5m"] == 500)
        .await?;
    assert_eq!(top.interrupt().await?, Some(0));
    let mut once = zerodb_hooks_harness::programs::worker::command()?;
    let page = once.args(["top", "--once"]).env("DATABASE_URL", &url).output()?;
    let text = String::from_utf8_lossy(&page.stdout).into_owned();
    assert!(
        text.contains("Workers   1 alive") && text.contains("record") && !text.contains('\u{1b}'),
        "{text}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_watched_is_told() -> Result<()> {
    let database = Database::create(PgVersion::main()).await?;
    let role = database.create_role("nobody").await?;
    let (url, stranger) = (database.url(), database.cluster.url_as(&role, &database.name));
    for (url, arguments, code, word) in [
        (
            &url,
            &["tail", "--hook", "none"][..],
            1,
            "there is no hook \"none\"",
        ),
        (
            &url,
            &["tail", "--type", "no.such"],
            1,
            "unknown event type 'no.such'",
        ),
        (&url, &["tail", "--state", "lost"], 2, "possible values"),
        (&url, &["top", "--every", "2"], 2, "500ms, 2s"),
        (&stranger, &["tail"], 1, "grant_"),
        (&stranger, &["top", "--once"], 1, "grant_"),
    ] {
        let mut command = zerodb_hooks_harness::programs::worker::command()?;
        let output = command.args(arguments).env("DATABASE_URL", url).output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.code() == Some(code) && said.contains(word),
            "{arguments:?} {word}: {said}"
        );
    }
    Ok(())
}
