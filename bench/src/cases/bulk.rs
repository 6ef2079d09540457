//! One INSERT of many rows: what a hook costs a bulk load. The time is the writer's, to the acknowledged commit; the
//! worker is stopped.

use std::time::Instant;

use anyhow::Result;
use async_trait::async_trait;

use super::{Case, TIME};
use crate::args::Options;
use crate::figures::Reading;
use crate::schema;
use crate::stage::Database;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Bulk {
    Bare,
    Floor,
    Hook,
}

pub const ALL: &[Bulk] = &[Bulk::Bare, Bulk::Floor, Bulk::Hook];

#[async_trait(?Send)]
impl Case for Bulk {
    fn name(&self) -> &'static str {
        match self {
            Self::Bare => "bulk/bare",
            Self::Floor => "bulk/floor",
            Self::Hook => "bulk/hook",
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Bare => "bare table",
            Self::Floor => "floor: rows, then events, by two plain statements",
            Self::Hook => "watched, matching hook",
        }
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        session.run(schema::ITEM).await?;
        let insert = schema::insert_many(options.rows);
        let (statements, log) = match self {
            Self::Bare => (insert, None),
            Self::Floor => {
                session.run(schema::EVENT_COPY).await?;
                (format!("{insert};{}", schema::COPY_EVENTS), Some("event_copy"))
            }
            Self::Hook => {
                session.run(schema::WATCH).await?;
                session.run(schema::QUIET_HOOK).await?;
                (insert, Some("zerodb.outbox"))
            }
        };
        database.settle().await?;
        let started = Instant::now();
        // Several statements in one text are one transaction.
        session.run(&statements).await?;
        let time = started.elapsed().as_secs_f64() * 1000.0;
        schema::expect_rows(&session, "item", i64::from(options.rows)).await?;
        if let Some(log) = log {
            schema::expect_rows(&session, log, i64::from(options.rows)).await?;
        }
        Ok(vec![TIME.reads(time)])
    }
}
