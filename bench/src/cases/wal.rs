//! Write-ahead log of an event's whole life, from the writer's INSERT to the stored completion, with rows written one a
//! transaction and the real worker delivering meanwhile. What the table's own row costs is measured apart and taken
//! off. The later removal of old events and finished deliveries is not in it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use zerodb_hooks_harness::Session;

use super::Case;
use crate::args::Options;
use crate::figures::{Metric, Reading};
use crate::pgbench::{self, Length, Load};
use crate::stage::Database;
use crate::{schema, wait};

pub const WAL_OF_EVENT: Metric = Metric::new("WAL of an event's life", "B");
const WAL_OF_ROW: Metric = Metric::new("WAL of the table's own row", "B");

const CLIENTS: u32 = 8;
const DEADLINE: Duration = Duration::from_secs(300);

/// By what the ledger keeps (`zerodb.record_attempts`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wal {
    All,
    Failures,
}

pub const ALL: &[Wal] = &[Wal::All, Wal::Failures];

#[async_trait(?Send)]
impl Case for Wal {
    fn name(&self) -> &'static str {
        match self {
            Self::All => "wal/all",
            Self::Failures => "wal/failures",
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::All => "one event, every attempt in the ledger",
            Self::Failures => "one event, failed attempts in the ledger",
        }
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        session.run(schema::ITEM).await?;
        // A quarter of a backlog is enough for bytes, which vary little.
        let load = Load {
            statement: schema::INSERT_ONE,
            clients: CLIENTS,
            length: Length::Transactions((options.events / 4 / CLIENTS).max(1)),
            rate: None,
        };
        database.settle().await?;
        let before = position(&session).await?;
        let plain = pgbench::run(database, &load).await?.transactions;
        let of_row = (position(&session).await? - before) / plain as f64;

        for statements in [schema::WATCH, schema::QUIET_HOOK] {
            session.run(statements).await?;
        }
        let kept = if *self == Self::All { "all" } else { "failures" };
        database.set("zerodb.record_attempts", kept).await?;
        let worker = database.start_worker(&session).await?;
        database.settle().await?;
        let before = position(&session).await?;
        let events = pgbench::run(database, &load).await?.transactions;
        let all = async || Ok(schema::completed(&session).await? == events);
        wait::until(DEADLINE, all)
            .await
            .context("not everything is delivered")?;
        let whole = (position(&session).await? - before) / events as f64;
        worker.stop().await?;

        schema::expect_rows(&session, "zerodb.outbox", events).await?;
        let attempts = if *self == Self::All { events } else { 0 };
        schema::expect_rows(&session, "zerodb.attempts", attempts).await?;
        ensure!(
            whole > of_row,
            "a row alone took {of_row} B, with its event {whole} B"
        );
        Ok(vec![WAL_OF_EVENT.reads(whole - of_row), WAL_OF_ROW.reads(of_row)])
    }
}

/// Bytes that the server has written to its log so far.
async fn position(session: &Session) -> Result<f64> {
    let bytes = session
        .number("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint")
        .await?;
    Ok(bytes as f64)
}
