//! `pgmq`: a queue in SQL without a job runner. Its burn-down is what bare batches can do at most: four tasks that
//! each read a thousand messages and delete or archive them.

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

const QUEUED: &str = "pgmq.q_bench";
const ARCHIVED: &str = "pgmq.a_bench";

#[derive(Clone, Copy)]
enum Work {
    Delete,
    Archive,
    Idle,
    History,
}

const FINISHED: History = History {
    fill: r#"
INSERT INTO pgmq.a_bench (msg_id, read_ct, enqueued_at, archived_at, vt, message)
SELECT n, 1, now(), now(), now(), ('{"item_id":' || n || ',"name":"an item of ordinary length","size":4711}')::jsonb
FROM generate_series({first}, {last}) AS n"#,
    table: ARCHIVED,
    question: "SELECT * FROM pgmq.a_bench WHERE msg_id = {key}",
};

struct Pgmq {
    work: Work,
    runner: Rc<Runner>,
}

pub fn rival() -> Rival {
    let runner = Rc::new(Runner::new("pgmq"));
    let case = |work| {
        let runner = Rc::clone(&runner);
        Box::new(Pgmq { work, runner }) as Box<dyn Case>
    };
    let cases = [Work::Delete, Work::Archive, Work::Idle, Work::History]
        .map(case)
        .into();
    Rival {
        package: "pgmq 1.13.0 (SQL, from the crate pgmq 0.34.0-alpha.7)",
        runner,
        cases,
    }
}

#[async_trait(?Send)]
impl Case for Pgmq {
    fn name(&self) -> &'static str {
        match self.work {
            Work::Delete => "rival/pgmq/burn-down-delete",
            Work::Archive => "rival/pgmq/burn-down-archive",
            Work::Idle => "rival/pgmq/idle",
            Work::History => "rival/pgmq/history",
        }
    }

    fn title(&self) -> &'static str {
        match self.work {
            Work::Delete => "messages read and deleted by pgmq, 4 tasks, batches of 1,000, no runner",
            Work::Archive => "messages read and archived by pgmq, 4 tasks, batches of 1,000, no runner",
            Work::Idle => "one message at a time, pgmq with LISTEN",
            Work::History => "archived messages, pgmq",
        }
    }

    fn is_once(&self) -> bool {
        matches!(self.work, Work::History)
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        self.runner.run(database, &["install"]).await?;
        match self.work {
            Work::Delete => self.burn_down(database, "delete", options.events, 0).await,
            Work::Archive => {
                self.burn_down(database, "archive", options.events, options.events)
                    .await
            }
            Work::Idle => {
                database.settle().await?;
                self.runner.idle(database, options.samples).await
            }
            Work::History => FINISHED.measure(database, options).await,
        }
    }
}

impl Pgmq {
    /// `archived`: how many messages must lie in the archive afterwards.
    async fn burn_down(
        &self,
        database: &Database<'_>,
        finish: &str,
        messages: u32,
        archived: u32,
    ) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        schema::in_batches(&session, messages, send).await?;
        schema::expect_rows(&session, QUEUED, i64::from(messages)).await?;
        database.settle().await?;

        let mut reader = self.runner.start(database, &[finish, &messages.to_string()])?;
        reader.says(noop_worker::HANDLED, DEADLINE).await?;
        let left = format!("SELECT count(*) FROM {QUEUED}");
        let none_left = async || Ok(session.number(&left).await? == 0);
        let ended = wait::until(DEADLINE, none_left)
            .await
            .context("not everything is finished")?;
        let time = (ended - reader.started).as_secs_f64();
        schema::expect_rows(&session, ARCHIVED, i64::from(archived)).await?;
        let start = reader.seconds_until(schema::first_connection(&session).await?)?;
        Ok(vec![
            RATE.reads(f64::from(messages) / time),
            START.reads(start * 1000.0),
            MEMORY.reads(reader.peak_memory()?),
        ])
    }
}

fn send(first: u32, last: u32) -> String {
    format!(
        "SELECT count(*) FROM pgmq.send_batch('bench', ARRAY(
            SELECT jsonb_build_object('item_id', n) FROM generate_series({first}, {last}) AS n))"
    )
}
