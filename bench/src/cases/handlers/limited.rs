//! A backlog behind a limiter that we have not written: the LiteLLM proxy lets 100 requests a minute of a key through,
//! a minute from the first one on, and the worker is not told. Whatever remains of the minute, a refusal says
//! `Retry-After: 60`.
//!
//! The ideal is the windows that must pass before the last request may be sent: with 250 requests, two minutes. It
//! leaves out what the requests themselves take, so nobody can reach it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use serde_json::json;
use zerodb_hooks_harness::programs::litellm::{self, KEY, Limit, LiteLlm};

use super::endpoint::{Endpoint, MODEL, provider_file};
use super::store;
use crate::args::Options;
use crate::cases::Case;
use crate::figures::{Metric, Reading};
use crate::process::Process;
use crate::stage::Database;
use crate::{schema, wait};

pub const OVER_IDEAL: Metric = Metric::new("time over the ideal", "×");
const SECONDS: Metric = Metric::new("time", "s");
const IDEAL: Metric = Metric::new("the ideal", "s");
const REFUSED: Metric = Metric::new("requests that the limiter refused", "");
const ANSWERED: Metric = Metric::new("requests that were answered", "");
const CHARGED: Metric = Metric::new("attempts charged beyond the first", "");

const A_MINUTE: u32 = 100;
const REQUESTS: u32 = 250;
const PACK: u32 = 8;
const DEADLINE: Duration = Duration::from_secs(900);
const BETWEEN: Duration = Duration::from_millis(100);
const BEYOND_FIRST: &str = "SELECT count(*) FROM zerodb.attempts WHERE outcome <> 'completed' OR attempt > 1";

pub struct Limited;

#[async_trait(?Send)]
impl Case for Limited {
    fn name(&self) -> &'static str {
        "embed/limited"
    }

    fn title(&self) -> &'static str {
        "250 requests through a limiter of 100 a minute"
    }

    fn is_once(&self) -> bool {
        true
    }

    fn is_on_demand(&self) -> bool {
        true
    }

    async fn measure(&self, database: &Database<'_>, _options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        store::create_with_hook(&session, &json!({})).await?;
        let rows = REQUESTS * PACK;
        store::fill(&session, rows).await?;
        let endpoint = Endpoint::start(Duration::ZERO)?;
        let program = litellm::install().await?;
        let proxy = LiteLlm::start(&program, endpoint.url(), MODEL, Limit::PerKey(A_MINUTE)).await?;
        let limits = [
            r#"api_key: "${ZERODB_SECRET_PROXY}""#,
            &format!("max_batch: {PACK}"),
        ];
        let file = provider_file(&proxy.url(), &limits)?;
        database.settle().await?;

        let secrets = [("ZERODB_SECRET_PROXY", KEY)];
        let worker = Process::worker_with_file(&database.url(), "error", file.path(), &secrets)?;
        let stored = async || Ok(session.number(store::EMBEDDED).await? == i64::from(rows));
        let ended = wait::until_seen(BETWEEN, DEADLINE, stored)
            .await
            .context("not every vector is stored")?;
        let time = (ended - worker.started).as_secs_f64();
        let completed = async || Ok(schema::completed(&session).await? == i64::from(rows));
        wait::until_seen(BETWEEN, DEADLINE, completed)
            .await
            .context("not every delivery is completed")?;
        worker.stop().await?;

        let charged = session.number(BEYOND_FIRST).await?;
        ensure!(charged == 0, "{charged} attempts were charged");
        store::check_some(&session).await?;
        let refused = proxy.log().matches(r#"HTTP/1.1" 429"#).count();
        ensure!(refused > 0, "the limiter has refused nothing");
        let ideal = f64::from(60 * ((REQUESTS - 1) / A_MINUTE));
        Ok(vec![
            OVER_IDEAL.reads(time / ideal),
            SECONDS.reads(time),
            IDEAL.reads(ideal),
            ANSWERED.reads(endpoint.seen().await?.answered as f64),
            REFUSED.reads(refused as f64),
            CHARGED.reads(charged as f64),
        ])
    }
}
