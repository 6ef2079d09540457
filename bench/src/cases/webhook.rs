//! Signed webhooks to a receiver on the loopback that answers at once: by the real worker, and by a bare HTTP client
//! that sends one request after another.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use zerodb_hooks_harness::Receiver;

use super::{Case, MEMORY, RATE};
use crate::args::Options;
use crate::figures::Reading;
use crate::process::Process;
use crate::stage::Database;
use crate::{schema, wait};

const DELIVERIES: u32 = 20_000;
const ONE_BY_ONE: u32 = 3_000;
const DEADLINE: Duration = Duration::from_secs(300);
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// About what the worker sends for an event of these.
const BODY: &str = r#"{"id":"evt_00000000000000000000000000000000","event":"item.stored","channel":"bench","data":{"item_id":1,"name":"an item of ordinary length","size":4711},"timestamp":"2026-01-01T00:00:00.000000Z"}"#;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Webhook {
    Signed,
    OneAtATime,
}

pub const ALL: &[Webhook] = &[Webhook::Signed, Webhook::OneAtATime];

#[async_trait(?Send)]
impl Case for Webhook {
    fn name(&self) -> &'static str {
        match self {
            Self::Signed => "webhook/signed",
            Self::OneAtATime => "webhook/one-at-a-time",
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Signed => "signed webhooks to a receiver on the loopback",
            Self::OneAtATime => "the same requests by `reqwest`, one after another",
        }
    }

    async fn measure(&self, database: &Database<'_>, _options: &Options) -> Result<Vec<Reading>> {
        match self {
            Self::Signed => by_the_worker(database).await,
            Self::OneAtATime => one_by_one().await,
        }
    }
}

/// A backlog, from the start of the worker's process to the last completion.
async fn by_the_worker(database: &Database<'_>) -> Result<Vec<Reading>> {
    let session = database.session().await?;
    let receiver = Receiver::start()?;
    let config = serde_json::json!({"url": receiver.url("/"), "secret": "${ZERODB_SECRET_BENCH}"});
    let hook = format!("SELECT zerodb.create_hook('item.stored', 'web', '{config}', hook_type => 'webhook')");
    for statements in [schema::ITEM, schema::WATCH, &hook] {
        session.run(statements).await?;
    }
    schema::store_with_events(&session, DELIVERIES).await?;
    database.settle().await?;
    let mut file = tempfile::NamedTempFile::new()?;
    writeln!(file, "webhooks: {{ allow_networks: [127.0.0.0/8] }}")?;
    let secrets = [("ZERODB_SECRET_BENCH", SECRET)];
    let worker = Process::worker_with_file(&database.url(), "warn", file.path(), &secrets)?;
    let all = async || Ok(schema::completed(&session).await? == i64::from(DELIVERIES));
    let ended = wait::until(DEADLINE, all)
        .await
        .context("not everything is delivered")?;
    let time = (ended - worker.started).as_secs_f64();
    let signed = receiver.look(|requests| {
        let is_signed = |request: &&zerodb_hooks_harness::receivers::Request| {
            request.header("webhook-signature").is_some()
        };
        requests.iter().filter(is_signed).count()
    });
    ensure!(signed == DELIVERIES as usize, "{signed} signed requests came");
    let memory = worker.peak_memory()?;
    worker.stop().await?;
    Ok(vec![
        RATE.reads(f64::from(DELIVERIES) / time),
        MEMORY.reads(memory),
    ])
}

async fn one_by_one() -> Result<Vec<Reading>> {
    let receiver = Receiver::start()?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let began = Instant::now();
    for _ in 0..ONE_BY_ONE {
        let request = client
            .post(receiver.url("/"))
            .header("content-type", "application/json");
        let answer = request
            .header("webhook-signature", "v1,0")
            .body(BODY)
            .send()
            .await?;
        ensure!(answer.status().is_success(), "{}", answer.status());
    }
    let time = began.elapsed().as_secs_f64();
    ensure!(
        receiver.look(<[_]>::len) == ONE_BY_ONE as usize,
        "a request is missing"
    );
    Ok(vec![RATE.reads(f64::from(ONE_BY_ONE) / time)])
}
