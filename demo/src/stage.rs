//! Everything that the demo starts: server, database, hooks, receiver, worker. The order of the fields of `Stage` is
//! the order in which they go.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use zerodb_hooks_harness::{Cluster, PgVersion, Session, eventually};

use crate::inbox::Inbox;
use crate::install;
use crate::programs::{Program, Said, binary};
use crate::screen::{self, Tone};

/// Longest wait for anything that should happen at once.
const SOON: Duration = Duration::from_secs(20);

pub struct Stage {
    pub worker: Option<Program>,
    pub listen: Option<Program>,
    pub inbox: Inbox,
    pub session: Session,
    /// Memories and files that were committed; each is owed one request at least.
    pub written: Vec<String>,
    /// What was not as it should be.
    pub problems: Vec<String>,
    log: Said,
    workers: u32,
    port: u16,
    secret: String,
    cluster: Cluster,
}

impl Stage {
    pub async fn build() -> Result<Self> {
        screen::section(
            "A server, the extension, the store, the hooks, a receiver and a worker",
            &[],
        );
        let begun = Instant::now();
        let cluster = Cluster::start(PgVersion::main())?;
        let place = format!(
            "PostgreSQL {}, port {}, below /tmp, deleted at the end",
            cluster.version.major, cluster.port
        );
        screen::row(Tone::Good, "server", &place, &screen::elapsed(begun.elapsed()));
        cluster
            .session("postgres")
            .await?
            .run("CREATE DATABASE demo")
            .await?;
        let session = cluster.session("demo").await?;
        install::install(&session).await?;
        // 32 random bytes; the form that Standard Webhooks names.
        let secret = session
            .text("SELECT 'whsec_' || encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'base64')")
            .await?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut stage = Self {
            worker: None,
            listen: None,
            inbox: Inbox::default(),
            session,
            written: Vec::new(),
            problems: Vec::new(),
            log: Said::default(),
            workers: 0,
            port,
            secret,
            cluster,
        };
        install::create_hooks(&stage.session, port).await?;
        stage.start_listen(Duration::ZERO).await?;
        stage.start_worker().await?;
        Ok(stage)
    }

    /// Starts the receiver, on the same port each time.
    pub async fn start_listen(&mut self, delay: Duration) -> Result<()> {
        let begun = Instant::now();
        let before = self.inbox.announcements();
        self.listen = Some(Program::listen(self.port, delay, &self.secret, &self.inbox.0)?);
        let up = eventually(SOON, async || (self.inbox.announcements() > before).then_some(())).await;
        up.context("zerodb-hooks listen does not listen")?;
        let slow = if delay.is_zero() {
            String::new()
        } else {
            format!(" --delay {}ms", delay.as_millis())
        };
        let line = format!(
            "zerodb-hooks listen --port {}{slow}   verifies signatures",
            self.port
        );
        screen::row(Tone::Good, "start", &line, &screen::elapsed(begun.elapsed()));
        Ok(())
    }

    /// Starts a worker under a new name, as a role that may do no more than a worker must.
    pub async fn start_worker(&mut self) -> Result<()> {
        let begun = Instant::now();
        self.workers += 1;
        let name = format!("worker-{}", self.workers);
        let url = self.cluster.url_as("demo_worker", "demo");
        let worker = Program::worker(&name, &url, &self.secret, &self.log)?;
        let alive = format!("SELECT status()->'workers' @> '[{{\"worker\": \"{name}\", \"alive\": true}}]'");
        let alive = alive.replace("status()", "zerodb.status()");
        let up = eventually(SOON, async || {
            self.session.text(&alive).await.ok().filter(|up| up == "t")
        })
        .await;
        if up.is_err() {
            self.show_worker_log();
        }
        up.context("the worker does not run")?;
        let line = format!(
            "zerodb-hooks worker --name {name} --lease-s 2   process {}",
            worker.id()
        );
        screen::row(Tone::Good, "start", &line, &screen::elapsed(begun.elapsed()));
        self.worker = Some(worker);
        Ok(())
    }

    /// Notes a problem unless `holds`.
    pub fn expect(&mut self, holds: bool, problem: impl FnOnce() -> String) {
        if !holds {
            self.problems.push(problem());
        }
    }

    /// Waits until every written memory and file has arrived and no delivery is open.
    pub async fn wait_for_everything(&mut self, deadline: Duration) -> Result<()> {
        let arrived = eventually(deadline, async || {
            (self.inbox.missing(&self.written) == 0).then_some(())
        })
        .await;
        let idle = self.session.text("SELECT zerodb.wait_idle('20 s')").await?;
        let missing = self.inbox.missing(&self.written);
        self.expect(arrived.is_ok(), || {
            format!("{missing} of the writes had not arrived after {deadline:?}")
        });
        self.expect(idle == "t", || {
            "zerodb.wait_idle() was not true after 20 s".into()
        });
        Ok(())
    }

    /// A line of the worker's log that the `log` hook wrote.
    pub fn logged(&self, part: &str) -> Option<String> {
        let lines = self.log.lines();
        let messages = lines
            .iter()
            .rev()
            .filter_map(|line| line["fields"]["message"].as_str());
        messages
            .into_iter()
            .find(|message| message.contains(part))
            .map(str::to_owned)
    }

    pub fn show_worker_log(&self) {
        for line in self.log.lines().iter().rev().take(20).rev() {
            screen::say(Tone::Faint, &format!("  worker said: {line}"));
        }
    }

    /// Stops worker and receiver in order; the server goes when this value is dropped.
    pub async fn close(&mut self) -> Result<()> {
        for (name, program) in [("worker", self.worker.take()), ("listen", self.listen.take())] {
            let Some(program) = program else { continue };
            let ended = program.terminate().await?;
            self.expect(ended.success(), || {
                format!("{name} ended with {ended} after SIGTERM")
            });
        }
        Ok(())
    }

    /// Prints requests as they arrive; never ends by itself.
    pub async fn show_arrivals(&self) -> Result<()> {
        let mut seen = self.inbox.count();
        loop {
            eventually(Duration::MAX, async || (self.inbox.count() > seen).then_some(())).await?;
            for request in self.inbox.requests().into_iter().skip(seen) {
                let line = format!(
                    "{:<12} {}  signature {}",
                    request.path, request.event, request.signature
                );
                screen::row(Tone::Good, "request", &line, "");
                seen += 1;
            }
        }
    }

    /// What the user needs to try more.
    pub fn show_ways_in(&self) {
        let (psql, port) = (self.cluster.version.program("psql"), self.cluster.port);
        let url = format!("postgres://postgres@127.0.0.1:{port}/demo");
        let worker = binary()
            .map(|path| path.display().to_string())
            .unwrap_or_default();
        screen::say(Tone::Title, "\nAll of it keeps running. In another terminal:\n");
        screen::say(
            Tone::Plain,
            &format!("  {} -h 127.0.0.1 -p {port} -U postgres demo", psql.display()),
        );
        screen::say(Tone::Plain, &format!("  export DATABASE_URL={url}"));
        screen::say(Tone::Plain, &format!("  {worker} tail --since 10m"));
        screen::say(Tone::Plain, "\nFor example, in psql, while `tail` runs:\n");
        screen::say(Tone::Plain, "  SELECT zerodb.remember('I was here', 'me');");
        screen::say(
            Tone::Faint,
            "\nRequests are shown here as they arrive. Ctrl-C stops and deletes everything.\n",
        );
    }
}
