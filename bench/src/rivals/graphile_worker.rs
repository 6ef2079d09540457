//! `graphile_worker` (Rust) and `graphile-worker` (Node). They share one schema: the same jobs in the same tables.

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;

use super::history::History;
use super::{Rival, Runner};
use crate::args::Options;
use crate::cases::{Case, MEMORY, RATE, START};
use crate::figures::Reading;
use crate::stage::Database;
use crate::{noop_worker, schema, wait};

const DEADLINE: Duration = Duration::from_secs(300);

/// A job is deleted when it is completed, and stays when it fails.
const JOBS: &str = "graphile_worker._private_jobs";

#[derive(Clone, Copy)]
enum Work {
    BurnDown,
    Idle,
    History,
}

/// A completed job is deleted, so these are of the only kind that stays: they failed for good.
const FINISHED: History = History {
    fill: r#"
INSERT INTO graphile_worker._private_tasks (identifier) VALUES ('noop') ON CONFLICT DO NOTHING;
INSERT INTO graphile_worker._private_jobs (task_id, payload, attempts, max_attempts, last_error, key)
SELECT t.id, ('{"item_id":' || n || ',"name":"an item of ordinary length","size":4711}')::json, 25, 25, 'the endpoint answered 503', 'job' || n
FROM generate_series({first}, {last}) AS n CROSS JOIN graphile_worker._private_tasks AS t WHERE t.identifier = 'noop'"#,
    table: JOBS,
    question: "SELECT * FROM graphile_worker.jobs WHERE key = 'job{key}'",
};

struct Graphile {
    name: &'static str,
    title: &'static str,
    work: Work,
    runner: Rc<Runner>,
}

pub fn rust() -> Rival {
    let runner = Rc::new(Runner::new("graphile_worker"));
    let case = |name, title, work| graphile(&runner, name, title, work);
    let cases = vec![
        case(
            "rival/graphile_worker-rust/burn-down",
            "no-op jobs, graphile_worker (Rust), 2 local queues of 500, completions by the ms",
            Work::BurnDown,
        ),
        case(
            "rival/graphile_worker-rust/idle",
            "one job at a time, graphile_worker (Rust), one local queue of 500",
            Work::Idle,
        ),
    ];
    Rival {
        package: "graphile_worker 0.14.1 (Rust)",
        runner,
        cases,
    }
}

pub fn node() -> Rival {
    let runner = Rc::new(Runner::new("graphile-worker"));
    let case = |name, title, work| graphile(&runner, name, title, work);
    let cases = vec![
        case(
            "rival/graphile-worker-node/burn-down",
            "no-op jobs, graphile-worker (Node), local queue 500, completions in batches",
            Work::BurnDown,
        ),
        case(
            "rival/graphile-worker-node/idle",
            "one job at a time, graphile-worker (Node), the same settings",
            Work::Idle,
        ),
        case(
            "rival/graphile-worker-node/history",
            "jobs that failed for good, graphile-worker (Node)",
            Work::History,
        ),
    ];
    Rival {
        package: "graphile-worker 0.18.0 (Node)",
        runner,
        cases,
    }
}

fn graphile(runner: &Rc<Runner>, name: &'static str, title: &'static str, work: Work) -> Box<dyn Case> {
    let runner = Rc::clone(runner);
    Box::new(Graphile {
        name,
        title,
        work,
        runner,
    })
}

#[async_trait(?Send)]
impl Case for Graphile {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn is_once(&self) -> bool {
        matches!(self.work, Work::History)
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        self.runner.run(database, &["migrate"]).await?;
        match self.work {
            Work::BurnDown => self.burn_down(database, options.events).await,
            Work::Idle => {
                database.settle().await?;
                self.runner.idle(database, options.samples).await
            }
            Work::History => FINISHED.measure(database, options).await,
        }
    }
}

impl Graphile {
    async fn burn_down(&self, database: &Database<'_>, jobs: u32) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        schema::in_batches(&session, jobs, add_jobs).await?;
        schema::expect_rows(&session, JOBS, i64::from(jobs)).await?;
        database.settle().await?;

        let mut worker = self.runner.start(database, &["burn-down", &jobs.to_string()])?;
        worker.says(noop_worker::HANDLED, DEADLINE).await?;
        let left = format!("SELECT count(*) FROM {JOBS}");
        let none_left = async || Ok(session.number(&left).await? == 0);
        let ended = wait::until(DEADLINE, none_left)
            .await
            .context("not everything is completed")?;
        let time = (ended - worker.started).as_secs_f64();
        let start = worker.seconds_until(schema::first_connection(&session).await?)?;
        Ok(vec![
            RATE.reads(f64::from(jobs) / time),
            START.reads(start * 1000.0),
            MEMORY.reads(worker.peak_memory()?),
        ])
    }
}

fn add_jobs(first: u32, last: u32) -> String {
    format!(
        "SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(
            SELECT json_populate_record(NULL::graphile_worker.job_spec,
                json_build_object('identifier', 'noop', 'payload', json_build_object('item_id', n)))
            FROM generate_series({first}, {last}) AS n))"
    )
}
