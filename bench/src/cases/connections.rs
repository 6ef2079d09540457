//! What one worker holds while a thousand deliveries are under way to a slow webhook receiver: connections to the
//! database, and memory.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use zerodb_hooks_harness::{Answer, Receiver};

use super::{Case, MEMORY};
use crate::args::Options;
use crate::figures::{Metric, Reading};
use crate::stage::Database;
use crate::{schema, wait};

pub const CONNECTIONS: Metric = Metric::new("database connections of the worker", "");

const IN_FLIGHT: u32 = 1000;
/// Longer than it takes to send all of them.
const ANSWER_AFTER: Duration = Duration::from_secs(10);
const DEADLINE: Duration = Duration::from_secs(60);
/// Looks at the connections, two milliseconds apart or more.
const LOOKS: u32 = 500;

pub struct Connections;

#[async_trait(?Send)]
impl Case for Connections {
    fn name(&self) -> &'static str {
        "connections/slow-endpoint"
    }

    fn title(&self) -> &'static str {
        "1,000 deliveries under way to an endpoint that takes 10 s"
    }

    fn is_once(&self) -> bool {
        true
    }

    async fn measure(&self, database: &Database<'_>, _options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        receiver.always(Answer::Slow(ANSWER_AFTER, 200));
        let config =
            serde_json::json!({"url": receiver.url("/slow"), "concurrency": IN_FLIGHT, "timeout_ms": 60_000});
        let hook =
            format!("SELECT zerodb.create_hook('item.stored', 'slow', '{config}', hook_type => 'webhook')");
        for statements in [schema::ITEM, schema::WATCH, &hook] {
            session.run(statements).await?;
        }
        let worker = database.start_worker(&session).await?;
        session.run(&schema::insert_many(IN_FLIGHT)).await?;
        receiver.wait_for(IN_FLIGHT as usize, DEADLINE).await?;
        let (mut most, mut looks) = (0, 0);
        let looked = async || {
            most = most.max(schema::connections(&session).await?);
            looks += 1;
            Ok(looks == LOOKS)
        };
        wait::until(DEADLINE, looked).await?;
        let running = "SELECT count(*) FROM zerodb.deliveries WHERE state = 'running'";
        let running = session.number(running).await?;
        ensure!(
            running == i64::from(IN_FLIGHT),
            "{running} deliveries were under way"
        );
        let all = async || Ok(schema::completed(&session).await? == i64::from(IN_FLIGHT));
        wait::until(DEADLINE, all)
            .await
            .context("not everything is delivered")?;
        most = most.max(schema::connections(&session).await?);
        let requests = receiver.requests().len();
        ensure!(requests == IN_FLIGHT as usize, "{requests} requests were sent");
        let memory = worker.peak_memory()?;
        worker.stop().await?;
        Ok(vec![CONNECTIONS.reads(most as f64), MEMORY.reads(memory)])
    }
}
