//! Workers and servers that are killed while writers go on.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use rand::Rng;
use zerodb_hooks_harness::receivers::Request;
use zerodb_hooks_harness::{Cluster, PgVersion, Receiver, Session, Worker, eventually};

use crate::factor;
use crate::setup::{
    LONG, Writers, all_arrive, assert_delivery_ids_are_stable, document, each_is_completed_once,
    watched_table, webhook,
};

const WORKERS: usize = 3;
const WRITERS: usize = 2;
/// A lease that a busy machine does not let run out under a worker that lives.
const LEASE_S: &str = "10";

/// How much is done: events, kills of a worker, crashes of the server.
#[derive(Clone, Copy)]
struct Amount {
    events: i64,
    kills: usize,
    crashes: usize,
}

fn amount() -> Amount {
    if factor() >= 10 {
        Amount {
            events: 100_000,
            kills: 20,
            crashes: 5,
        }
    } else {
        Amount {
            events: 4_000,
            kills: 4,
            crashes: 2,
        }
    }
}

/// A kill or a crash, and the events whose deliveries were running at that moment: these may come again.
struct Fault {
    /// The worker that was killed; `None` when the server was, and with it the work of all.
    victim: Option<String>,
    running: HashSet<String>,
}

/// Workers, each started again under a new name.
struct Crew {
    url: String,
    started: usize,
    workers: Vec<(String, Worker)>,
}

impl Crew {
    fn start(url: &str) -> Result<Self> {
        let mut crew = Self {
            url: url.into(),
            started: 0,
            workers: Vec::new(),
        };
        for _ in 0..WORKERS {
            let next = crew.next()?;
            crew.workers.push(next);
        }
        Ok(crew)
    }

    /// The requests of a worker carry its name.
    fn next(&mut self) -> Result<(String, Worker)> {
        self.started += 1;
        let name = format!("worker-{}", self.started);
        let arguments = [
            "--lease-s",
            LEASE_S,
            "--poll-ms",
            "100",
            "--in-flight",
            "500",
            "--name",
            &name,
        ];
        let worker = Worker::start_with(&self.url, &arguments, &[("ZERODB_SECRET_NAME", &name)])?;
        Ok((name, worker))
    }

    /// SIGKILL for a random one, in the middle of what it does. It comes back at once, under another name.
    async fn kill_one(&mut self, session: &Session) -> Result<Fault> {
        let victim = rand::rng().random_range(0..WORKERS);
        self.workers[victim].1.kill9()?;
        let began = session.text("SELECT clock_timestamp()").await?;
        let running = running(session, &began).await?;
        let next = self.next()?;
        let (name, _) = std::mem::replace(&mut self.workers[victim], next);
        Ok(Fault {
            victim: Some(name),
            running,
        })
    }

    /// An immediate shutdown in the middle of what everybody does, and a start. The workers stand still from the crash
    /// until the running deliveries are read: the server is down meanwhile, so nothing changes by that.
    async fn crash(&mut self, cluster: &Cluster) -> Result<Fault> {
        cluster.crash()?;
        self.workers.iter().try_for_each(|(_, worker)| worker.freeze())?;
        cluster.start_again()?;
        let session = cluster.session("postgres").await?;
        let began = session.text("SELECT clock_timestamp()").await?;
        let running = running(&session, &began).await?;
        self.workers.iter().try_for_each(|(_, worker)| worker.thaw())?;
        Ok(Fault {
            victim: None,
            running,
        })
    }
}

/// The events whose deliveries run: at once, before a lease can end, and again when the statements that began before
/// `moment` have ended, because a dead worker's last claim may still be under way.
async fn running(session: &Session, moment: &str) -> Result<HashSet<String>> {
    const RUNNING: &str = "SELECT event_id FROM zerodb.deliveries WHERE state = 'running'";
    let mut events: HashSet<String> = session.texts(RUNNING).await?.into_iter().collect();
    let older = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'zerodb-hooks%' AND xact_start < '{moment}'"
    );
    session.becomes_within(LONG, &older, 0).await?;
    events.extend(session.texts(RUNNING).await?);
    Ok(events)
}

/// The kills and crashes in random order, spread over what is written; then the writers stop.
async fn disturb(cluster: &Cluster, crew: &mut Crew, writers: &Writers) -> Result<Vec<Fault>> {
    let Amount {
        events,
        kills,
        crashes,
    } = amount();
    let steps = i64::try_from(kills + crashes)? + 1;
    let mut left = kills;
    let mut faults = Vec::new();
    for step in 1..steps {
        let written = async || (writers.acknowledged() >= events * step / steps).then_some(());
        eventually(LONG, written).await?;
        let remaining = usize::try_from(steps - step)?;
        if rand::rng().random_range(0..remaining) < left {
            left -= 1;
            let session = cluster.session("postgres").await?;
            faults.push(crew.kill_one(&session).await?);
        } else {
            faults.push(crew.crash(cluster).await?);
        }
    }
    eventually(LONG, async || (writers.acknowledged() >= events).then_some(())).await?;
    Ok(faults)
}

/// Every time that a document came again is explained by a fault: its delivery was running then, and the worker that
/// died had sent it. Returns the repetitions and the sum of what was in flight.
fn assert_repetitions_were_in_flight(receiver: &Receiver, faults: &[Fault]) -> (usize, usize) {
    let mut sent: HashMap<String, (i64, Vec<String>)> = HashMap::new();
    receiver.look(|requests| {
        for request in requests {
            let event = request
                .json()
                .ok()
                .and_then(|body| body["id"].as_str().map(str::to_owned));
            let worker = request.header("x-worker").unwrap_or_default().to_owned();
            if let (Some(event), Some(document)) = (event, document(request)) {
                sent.entry(event).or_insert((document, Vec::new())).1.push(worker);
            }
        }
    });
    let (mut repetitions, mut in_flight) = (0, 0);
    for (event, (document, workers)) in &sent {
        let explained = |fault: &&Fault| {
            let its_own = |victim: &String| workers.contains(victim);
            fault.running.contains(event) && fault.victim.as_ref().is_none_or(its_own)
        };
        let faults = faults.iter().filter(explained).count();
        assert!(
            workers.len() <= 1 + faults,
            "document {document} was sent by {workers:?} and was in flight at {faults} faults"
        );
        repetitions += workers.len() - 1;
        in_flight += faults;
    }
    (repetitions, in_flight)
}

async fn nothing_is_lost(version: &PgVersion) -> Result<()> {
    let cluster = Cluster::start_with(version, &["fsync = on"])?;
    let receiver = Receiver::start()?;
    let session = cluster.session("postgres").await?;
    session.run("CREATE EXTENSION zerodb_hooks").await?;
    watched_table(&session).await?;
    let named = r#", "headers": {"x-worker": "${ZERODB_SECRET_NAME}"}"#;
    webhook(&session, "web", &receiver, named).await?;
    let mut crew = Crew::start(&cluster.url("postgres"))?;
    let writers = Writers::new(&cluster.url("postgres"), 5_000);
    let disturbed = async {
        let faults = disturb(&cluster, &mut crew, &writers).await;
        writers.stop();
        faults
    };
    let writing = futures_util::future::join_all((0..WRITERS).map(|_| writers.write(&receiver)));
    let (faults, written) = tokio::join!(disturbed, writing);
    let faults = faults?;

    let session = cluster.session("postgres").await?;
    all_arrive(&session, &receiver).await?;
    let stored: HashSet<String> = session.texts("SELECT id FROM doc").await?.into_iter().collect();
    for writer in &written {
        let missing = writer
            .ids
            .iter()
            .filter(|id| !stored.contains(&id.to_string()))
            .count();
        assert_eq!(missing, 0, "acknowledged and not in the table");
        assert_the_restarts_own(writer.errors.iter());
    }
    each_is_completed_once(&session, i64::try_from(stored.len())?).await?;
    assert_delivery_ids_are_stable(&receiver);
    let (repetitions, in_flight) = assert_repetitions_were_in_flight(&receiver, &faults);
    eprintln!(
        "PostgreSQL {}: {} events, {} requests, {} faults; {repetitions} repeated of {in_flight} in flight at them",
        version.major,
        stored.len(),
        receiver.look(<[Request]>::len),
        faults.len()
    );
    Ok(())
}

/// A writer sees each crash once at most, and nothing else: 57P01 to 57P03 or the end of its connection.
fn assert_the_restarts_own<'a>(errors: impl Iterator<Item = (&'a String, &'a usize)>) {
    let mut seen = 0;
    for (state, times) in errors {
        assert!(
            state == "none" || state.starts_with("57P") || state.starts_with("08"),
            "a writer saw {state}"
        );
        seen += times;
    }
    let crashes = amount().crashes;
    assert!(
        seen <= crashes,
        "{seen} errors in one writer's statements at {crashes} crashes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_whatever_is_killed() -> Result<()> {
    for version in PgVersion::present() {
        nothing_is_lost(version).await?;
    }
    Ok(())
}
