//! Writers while other users' hooks change a thousand times a second: processor time of the writers' sessions for each
//! of their transactions, of a type that a hook wants. No worker runs. What the changes themselves cost is not in it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use async_trait::async_trait;
use futures_util::future::try_join_all;
use tokio::time::{MissedTickBehavior, interval};
use zerodb_hooks_harness::Session;

use super::crowd;
use crate::args::Options;
use crate::cases::Case;
use crate::figures::{Metric, Reading};
use crate::stage::Database;
use crate::{processor, schema};

pub const USED_BY_WRITER: Metric = Metric::new("processor time of the writer's session, a transaction", "us");
const CHANGES: Metric = Metric::new("changes of hooks", "1/s");
const WRITES: Metric = Metric::new("transactions", "1/s");

const WRITERS: usize = 8;
/// Sessions that change hooks, each one after another.
const CHANGERS: u32 = 4;
const CHANGES_A_SECOND: u32 = 1000;
/// Other users' hooks that are there, of which each changer switches its part.
const HOOKS: u32 = 10_000;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Changes {
    None,
    /// The same changes, in another database of the server, whose writers need not hear of them: what changers take
    /// from writers by working at all.
    Elsewhere,
    /// Hooks are switched off and on, as often as it goes up to a thousand a second.
    Here,
}

pub const WITHOUT_CHANGES: &str = "tenants/writers";
pub const CHANGES_ELSEWHERE: &str = "tenants/writers-hooks-change-elsewhere";
pub const WITH_CHANGES: &str = "tenants/writers-hooks-change";
pub const ALL: &[Changes] = &[Changes::None, Changes::Elsewhere, Changes::Here];

#[async_trait(?Send)]
impl Case for Changes {
    fn name(&self) -> &'static str {
        match self {
            Self::None => WITHOUT_CHANGES,
            Self::Elsewhere => CHANGES_ELSEWHERE,
            Self::Here => WITH_CHANGES,
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::None => "8 writers of a watched table, no hook changes",
            Self::Elsewhere => "8 writers of a watched table, hooks of another database change",
            Self::Here => "8 writers of a watched table, other users' hooks change all the time",
        }
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        crowd::watched_table(&session).await?;
        crowd::others(&session, HOOKS).await?;
        let elsewhere = match self {
            Self::Elsewhere => Some(database.stage.fresh_database().await?),
            _ => None,
        };
        if let Some(other) = &elsewhere {
            let session = other.session().await?;
            crowd::watched_table(&session).await?;
            crowd::others(&session, HOOKS).await?;
        }
        let mut writers = Vec::new();
        for _ in 0..WRITERS {
            writers.push(Writer::connect(database).await?);
        }
        database.settle().await?;
        let until = Instant::now() + Duration::from_secs(options.seconds.into());
        let writing = try_join_all(writers.iter().map(|writer| writer.write(until)));
        let (written, changed) = tokio::try_join!(
            writing,
            self.change(elsewhere.as_ref().unwrap_or(database), until)
        )?;
        let used: f64 = written.iter().map(|(used, _)| used).sum();
        let transactions: u32 = written.iter().map(|(_, transactions)| transactions).sum();
        schema::expect_rows(
            &session,
            "zerodb.outbox",
            i64::from(transactions) + WRITERS as i64,
        )
        .await?;
        let seconds = f64::from(options.seconds);
        let mut readings = vec![
            USED_BY_WRITER.reads(used * 1e6 / f64::from(transactions)),
            WRITES.reads(f64::from(transactions) / seconds),
        ];
        if let Some(other) = elsewhere {
            other.remove().await?;
        }
        if *self != Self::None {
            ensure!(changed > 0, "no hook was changed");
            readings.push(CHANGES.reads(f64::from(changed) / seconds));
        }
        Ok(readings)
    }
}

impl Changes {
    /// How many hooks were switched.
    async fn change(self, database: &Database<'_>, until: Instant) -> Result<u32> {
        if self == Self::None {
            return Ok(0);
        }
        let changed = try_join_all((0..CHANGERS).map(|part| switch(database, part, until))).await?;
        Ok(changed.iter().sum())
    }
}

/// Switches the hooks of one part off and on again, one after another.
async fn switch(database: &Database<'_>, part: u32, until: Instant) -> Result<u32> {
    let session = database.session().await?;
    session.run("SET synchronous_commit = off").await?;
    let statement = session
        .client
        .prepare("SELECT (zerodb.update_hook($1::text::uuid, is_active => $2)).is_active")
        .await?;
    let mut ticks = interval(Duration::from_secs(1) * CHANGERS / CHANGES_A_SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut changed = 0;
    while Instant::now() < until {
        ticks.tick().await;
        let number = changed / 2 % (HOOKS / CHANGERS) * CHANGERS + part + 1;
        let is_active = changed % 2 == 1;
        session
            .client
            .query_one(&statement, &[&crowd::hook(number), &is_active])
            .await?;
        changed += 1;
    }
    Ok(changed)
}

struct Writer {
    session: Session,
    process: u32,
    statement: tokio_postgres::Statement,
}

impl Writer {
    /// What a session does once is done.
    async fn connect(database: &Database<'_>) -> Result<Self> {
        let session = database.session().await?;
        session.run("SET synchronous_commit = off").await?;
        session.run(schema::INSERT_ONE).await?;
        let process = session.number("SELECT pg_backend_pid()").await?.try_into()?;
        let statement = session.client.prepare(schema::INSERT_ONE).await?;
        Ok(Self {
            session,
            process,
            statement,
        })
    }

    /// Processor seconds, and transactions.
    async fn write(&self, until: Instant) -> Result<(f64, u32)> {
        let before = processor::seconds_of(self.process)?;
        let mut transactions = 0;
        while Instant::now() < until {
            self.session.client.execute(&self.statement, &[]).await?;
            transactions += 1;
        }
        Ok((processor::seconds_of(self.process)? - before, transactions))
    }
}
