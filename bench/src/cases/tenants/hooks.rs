//! Making, changing, listing and deleting a hook beside the hooks of many other users, each call a transaction of its
//! own that waits for the disk.

use std::time::Instant;

use anyhow::{Result, ensure};
use async_trait::async_trait;
use zerodb_hooks_harness::Session;

use super::crowd;
use crate::args::Options;
use crate::cases::Case;
use crate::figures::{Metric, Reading, percentile};
use crate::stage::Database;

pub const CREATE_P50: Metric = Metric::new("create_hook, p50", "ms");
const CREATE_P99: Metric = Metric::new("create_hook, p99", "ms");
const UPDATE_P50: Metric = Metric::new("update_hook, p50", "ms");
const LIST_P50: Metric = Metric::new("list_hooks of a user, p50", "ms");
const DELETE_P50: Metric = Metric::new("delete_hook, p50", "ms");
const DELETE_P99: Metric = Metric::new("delete_hook, p99", "ms");

const CALLS: u32 = 200;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Hooks {
    None,
    Many,
    Million,
}

pub const MANY_HOOKS: &str = "tenants/hooks-of-many";
pub const MILLION_HOOKS: &str = "tenants/hooks-of-a-million";
pub const ALL: &[Hooks] = &[Hooks::None, Hooks::Many, Hooks::Million];

#[async_trait(?Send)]
impl Case for Hooks {
    fn name(&self) -> &'static str {
        match self {
            Self::None => "tenants/hooks-alone",
            Self::Many => MANY_HOOKS,
            Self::Million => MILLION_HOOKS,
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::None => "hooks are made and deleted, no others",
            Self::Many => "hooks are made and deleted, 100,000 of others (--others)",
            Self::Million => "hooks are made and deleted, 1,000,000 of others",
        }
    }

    fn is_on_demand(&self) -> bool {
        *self == Self::Million
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        let hooks = match self {
            Self::None => 0,
            Self::Many => options.others,
            Self::Million => 1_000_000,
        };
        crowd::watched_table(&session).await?;
        crowd::others(&session, hooks).await?;
        database.settle().await?;
        let (mut created, mut updated, mut listed, mut deleted) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for number in 0..CALLS {
            session
                .run(&format!(
                    "SET zerodb.user_id = '{}'",
                    crowd::user(number * 37 + 1)
                ))
                .await?;
            let id = timed(
                &session,
                &mut created,
                "SELECT (zerodb.create_hook('item.stored', 'new', hook_type => 'log')).id",
            )
            .await?;
            timed(
                &session,
                &mut updated,
                &format!("SELECT (zerodb.update_hook('{id}', is_active => false)).id"),
            )
            .await?;
            timed(
                &session,
                &mut listed,
                "SELECT id FROM zerodb.list_hooks(active_only => false) WHERE hook_name = 'new'",
            )
            .await?;
            timed(
                &session,
                &mut deleted,
                &format!("SELECT zerodb.delete_hook('{id}')"),
            )
            .await?;
        }
        Ok(vec![
            CREATE_P50.reads(percentile(&created, 0.5)),
            CREATE_P99.reads(percentile(&created, 0.99)),
            UPDATE_P50.reads(percentile(&updated, 0.5)),
            LIST_P50.reads(percentile(&listed, 0.5)),
            DELETE_P50.reads(percentile(&deleted, 0.5)),
            DELETE_P99.reads(percentile(&deleted, 0.99)),
        ])
    }
}

/// Adds the milliseconds of a call, and returns the first column of its one row.
async fn timed(session: &Session, times: &mut Vec<f64>, sql: &str) -> Result<String> {
    let started = Instant::now();
    let rows = session.texts(sql).await?;
    times.push(started.elapsed().as_secs_f64() * 1000.0);
    ensure!(rows.len() == 1, "{} rows, not one, from: {sql}", rows.len());
    Ok(rows.into_iter().next().unwrap_or_default())
}
