//! What these tests start from: a watched table, a webhook, writers that go on, and what arrived of it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use zerodb_hooks_harness::receivers::Request;
use zerodb_hooks_harness::{Receiver, Session, SqlError, eventually};

/// Time for what must happen in the end; generous, because a busy machine must not make a test fail.
pub const LONG: Duration = Duration::from_secs(300);
/// Rows that one transaction of a writer inserts.
pub const ROWS: i64 = 5;

/// A watched table `doc` (id, body) whose inserts are `doc.created`, in a database with the extension.
pub async fn watched_table(session: &Session) -> Result<()> {
    session
        .run(
            "CREATE TABLE doc (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text);
             SELECT zerodb.register_event_type('doc.created', 'app', '{doc_id,body}', 'a document');
             SELECT zerodb.watch('doc', 'doc.created')",
        )
        .await
}

/// A webhook that is tried again soon and practically for ever. Its requests name the worker that sends them, see
/// `NAMED`.
pub async fn webhook(session: &Session, name: &str, receiver: &Receiver, more: &str) -> Result<()> {
    let config = format!(
        r#"{{"url": "{}", "retry_count": 90, "retry_delay_ms": 20, "timeout_ms": 60000{more}}}"#,
        receiver.url("/")
    );
    session
        .run(&format!(
            "SELECT zerodb.create_hook('doc.created', '{name}', '{config}', hook_type => 'webhook')"
        ))
        .await
}

/// The document that a request is about.
pub fn document(request: &Request) -> Option<i64> {
    request.json().ok()?["data"]["doc_id"].as_i64()
}

/// How often each document came.
pub fn arrivals(receiver: &Receiver) -> HashMap<i64, usize> {
    let mut times = HashMap::new();
    receiver.look(|requests| {
        for document in requests.iter().filter_map(document) {
            *times.entry(document).or_default() += 1;
        }
    });
    times
}

/// Waits until every document of the table has come, and fails with what is lost. Documents that are not in the table
/// must not come at all.
pub async fn all_arrive(session: &Session, receiver: &Receiver) -> Result<()> {
    let stored: HashSet<i64> = session
        .texts("SELECT id FROM doc")
        .await?
        .iter()
        .filter_map(|id| id.parse().ok())
        .collect();
    let complete = eventually(LONG, async || {
        (receiver.look(<[Request]>::len) >= stored.len()
            && stored.is_subset(&arrivals(receiver).into_keys().collect()))
        .then_some(())
    })
    .await;
    let arrived: HashSet<i64> = arrivals(receiver).into_keys().collect();
    let lost: Vec<_> = stored.difference(&arrived).take(10).collect();
    ensure!(
        complete.is_ok(),
        "{} of {} are lost, such as {lost:?}; the server says {}",
        stored.difference(&arrived).count(),
        stored.len(),
        session.text("SELECT zerodb.status()").await?
    );
    let unknown = arrived.difference(&stored).count();
    ensure!(unknown == 0, "{unknown} came that were never committed");
    Ok(())
}

/// Waits until nothing is due, and fails unless each delivery ended completed and was recorded as completed once.
pub async fn each_is_completed_once(session: &Session, deliveries: i64) -> Result<()> {
    let idle = eventually(LONG, async || {
        (session.text("SELECT zerodb.wait_idle('10 s')").await.ok()? == "t").then_some(())
    });
    ensure!(
        idle.await.is_ok(),
        "not idle: {}",
        session.text("SELECT zerodb.status()").await?
    );
    let states = session
        .texts("SELECT state || ' ' || count(*) FROM zerodb.deliveries GROUP BY state")
        .await?;
    ensure!(
        states == [format!("completed {deliveries}")],
        "not {deliveries} completed but {states:?}"
    );
    let twice = "SELECT count(*) FROM (SELECT FROM zerodb.attempts WHERE outcome = 'completed' GROUP BY delivery_id HAVING count(*) > 1)
         AS completed";
    let twice = session.number(twice).await?;
    ensure!(twice == 0, "{twice} deliveries were completed twice");
    Ok(())
}

/// One document has one webhook-id, however often it came.
pub fn assert_delivery_ids_are_stable(receiver: &Receiver) {
    let mut ids: HashMap<i64, HashSet<String>> = HashMap::new();
    receiver.look(|requests| {
        for request in requests {
            if let (Some(document), Some(id)) = (document(request), request.header("webhook-id")) {
                ids.entry(document).or_default().insert(id.to_owned());
            }
        }
    });
    let changed = ids.values().filter(|ids| ids.len() > 1).count();
    assert_eq!(changed, 0, "documents with more than one delivery id");
}

/// Writers that insert one transaction after another until they are told to stop. They keep a bounded lead over what
/// has arrived, so that they go on as long as the test does.
pub struct Writers {
    url: String,
    lead: i64,
    stop: AtomicBool,
    acknowledged: AtomicI64,
}

/// What a writer saw.
#[derive(Debug, Default)]
pub struct Written {
    /// The ids whose commit was acknowledged.
    pub ids: Vec<i64>,
    /// The errors of statements, by SQLSTATE; `none` where the connection ended without one.
    pub errors: BTreeMap<String, usize>,
}

impl Writers {
    pub fn new(url: &str, lead: i64) -> Self {
        Self {
            url: url.into(),
            lead,
            stop: AtomicBool::new(false),
            acknowledged: AtomicI64::new(0),
        }
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub fn acknowledged(&self) -> i64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// One writer. After an error it connects again.
    pub async fn write(&self, receiver: &Receiver) -> Written {
        let mut written = Written::default();
        let mut session: Option<Session> = None;
        while !self.stop.load(Ordering::Relaxed) {
            let near = async || {
                let arrived = i64::try_from(receiver.look(<[Request]>::len)).unwrap_or(i64::MAX);
                let goes_on = self.acknowledged() - arrived < self.lead || self.stop.load(Ordering::Relaxed);
                goes_on.then_some(())
            };
            if eventually(LONG, near).await.is_err() {
                return written;
            }
            if session.is_none() {
                let connect = async || Session::connect(&self.url).await.ok();
                session = eventually(LONG, connect).await.ok();
            }
            let Some(open) = &session else { return written };
            match insert(open).await {
                Ok(ids) => {
                    self.acknowledged.fetch_add(ROWS, Ordering::Relaxed);
                    written.ids.extend(ids);
                }
                Err(state) => {
                    *written.errors.entry(state).or_default() += 1;
                    session = None;
                }
            }
        }
        written
    }
}

/// One transaction; the SQLSTATE where it failed.
pub async fn insert(session: &Session) -> Result<Vec<i64>, String> {
    let sql = format!("INSERT INTO doc (body) SELECT 'x' FROM generate_series(1, {ROWS}) RETURNING id");
    let rows = session.client.query(&sql, &[]).await.map_err(|error| {
        let known = error.as_db_error().map(|server| SqlError::from(server).code);
        known.unwrap_or_else(|| "none".into())
    })?;
    Ok(rows.iter().filter_map(|row| row.try_get(0).ok()).collect())
}
