//! A backlog of events that no hook wants, recorded for a later replay: from the start of the real worker to the moment
//! when the dispatcher has passed the last of them.

use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;

use super::{Case, RATE, START};
use crate::args::Options;
use crate::figures::Reading;
use crate::process::Process;
use crate::stage::Database;
use crate::{schema, wait};

const LAST: &str =
    "SELECT format('SELECT zerodb._is_dispatched(%L, %s)', o.xid, o.ord) FROM zerodb.outbox AS o
    ORDER BY o.xid DESC, o.ord DESC LIMIT 1";

pub struct Unmatched;

#[async_trait(?Send)]
impl Case for Unmatched {
    fn name(&self) -> &'static str {
        "dispatch/unmatched"
    }

    fn title(&self) -> &'static str {
        "events dispatched that match no hook"
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        for statements in [schema::ITEM, schema::WATCH, "SET zerodb.capture = 'all'"] {
            session.run(statements).await?;
        }
        schema::store_with_events(&session, options.events).await?;
        let is_passed = session.text(LAST).await?;
        database.settle().await?;

        let worker = Process::worker(&database.url(), "warn")?;
        let passed = async || Ok(session.text(&is_passed).await? == "t");
        let ended = wait::until(Duration::from_secs(300), passed)
            .await
            .context("the cursor does not pass")?;
        let time = (ended - worker.started).as_secs_f64();

        schema::expect_rows(&session, "zerodb.deliveries", 0).await?;
        let start = worker.seconds_until(schema::first_connection(&session).await?)?;
        worker.stop().await?;
        Ok(vec![
            RATE.reads(f64::from(options.events) / time),
            START.reads(start * 1000.0),
        ])
    }
}
