//! One user's events beside the hooks of other users on the same event type: the way of one event through an idle
//! installation, and a backlog of that user's alone.

use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;
use tokio::sync::mpsc;
use zerodb_hooks_worker::Worker;

use super::crowd;
use crate::args::Options;
use crate::cases::idle::{self, Stamp};
use crate::cases::{Case, RATE};
use crate::figures::Reading;
use crate::process::Process;
use crate::stage::{self, Database};
use crate::{beside, noop_worker, schema, wait};

const DEADLINE: Duration = Duration::from_secs(600);
/// Of a burn-down's events: enough to see a difference, where one was seven times slower.
const SHARE: u32 = 10;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Others {
    None,
    Thousand,
    Many,
    Million,
}

pub const ALONE: &str = "tenants/alone";
pub const MANY: &str = "tenants/many-others";
pub const MILLION: &str = "tenants/million-others";
pub const ALL: &[Others] = &[Others::None, Others::Thousand, Others::Many, Others::Million];

#[async_trait(?Send)]
impl Case for Others {
    fn name(&self) -> &'static str {
        match self {
            Self::None => ALONE,
            Self::Thousand => "tenants/thousand-others",
            Self::Many => MANY,
            Self::Million => MILLION,
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::None => "events of a user, no hooks of others",
            Self::Thousand => "events of a user, 1,000 others have a hook for the type",
            Self::Many => "events of a user, 100,000 others (--others) have a hook for the type",
            Self::Million => "events of a user, 1,000,000 others have a hook for the type",
        }
    }

    fn is_on_demand(&self) -> bool {
        *self == Self::Million
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        crowd::watched_table(&session).await?;
        crowd::others(&session, self.hooks(options)).await?;
        let own = schema::function_hook("noop")
            .replace("hook_type", &format!("user_id => '{}', hook_type", crowd::USER));
        session.run(&own).await?;

        let (stamps, stamped) = mpsc::unbounded_channel();
        let worker = Worker::builder(&database.url())
            .handler("noop", Stamp(stamps))
            .build()?;
        let sampling = async {
            stage::wait_for_worker(&session).await?;
            database.settle().await?;
            idle::sample(&session, stamped, options.samples).await
        };
        let (from_commit, from_call) = beside::run(worker, sampling).await?;
        let mut readings = idle::readings(&from_commit, &from_call);

        let (before, events) = (schema::completed(&session).await?, options.events / SHARE);
        schema::in_batches(&session, events, |first, last| {
            schema::insert_many(last - first + 1)
        })
        .await?;
        database.settle().await?;
        let mut worker = Process::noop_worker(&database.url(), events)?;
        worker.says(noop_worker::HANDLED, DEADLINE).await?;
        let all = async || Ok(schema::completed(&session).await? == before + i64::from(events));
        let ended = wait::until(DEADLINE, all)
            .await
            .context("not everything is completed")?;
        readings.push(RATE.reads(f64::from(events) / (ended - worker.started).as_secs_f64()));
        worker.stop().await?;
        Ok(readings)
    }
}

impl Others {
    fn hooks(self, options: &Options) -> u32 {
        match self {
            Self::None => 0,
            Self::Thousand => 1000,
            Self::Many => options.others,
            Self::Million => 1_000_000,
        }
    }
}
