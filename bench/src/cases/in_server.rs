//! What a single-row transaction costs the server, beside all that a client, the network and the disk cost: one
//! session writes in a loop in the server, without waiting for the disk. Processor time of that session, so the host
//! takes nothing from it. No worker runs.

use anyhow::Result;
use async_trait::async_trait;

use super::Case;
use super::single::Single;
use crate::args::Options;
use crate::figures::{Metric, Reading};
use crate::processor;
use crate::schema;
use crate::stage::Database;

pub const USED: Metric = Metric::new("processor time of the session, a transaction", "us");

const TRANSACTIONS: u32 = 50_000;

#[derive(Clone, Copy)]
pub struct InServer {
    name: &'static str,
    what: Single,
}

const fn case(name: &'static str, what: Single) -> InServer {
    InServer { name, what }
}

pub const ALL: &[InServer] = &[
    case("in-server/untouched", Single::Untouched),
    case("in-server/floor", Single::Floor),
    case("in-server/hook", Single::HookWithoutWorker),
    case("in-server/no-hook", Single::NoHook),
    case("in-server/naive", Single::Naive),
];

#[async_trait(?Send)]
impl Case for InServer {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        self.what.title()
    }

    async fn measure(&self, database: &Database<'_>, _options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        self.what.set_up(&session).await?;
        session.run("SET synchronous_commit = off").await?;
        // What a session does once, such as planning, is not in the time.
        session.run(self.what.statement()).await?;
        let process = session.number("SELECT pg_backend_pid()").await?.try_into()?;
        database.settle().await?;
        let before = processor::seconds_of(process)?;
        session
            .run(&schema::in_a_loop(self.what.statement(), TRANSACTIONS))
            .await?;
        let used = processor::seconds_of(process)? - before;
        self.what
            .expect_written(&session, i64::from(TRANSACTIONS) + 1)
            .await?;
        Ok(vec![USED.reads(used * 1e6 / f64::from(TRANSACTIONS))])
    }
}
