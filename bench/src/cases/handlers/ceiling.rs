//! What the endpoint itself can do on this machine: the same texts in the same requests from a bare HTTP client that
//! reads the answers and throws them away. There is no database in it.

use std::time::Instant;

use anyhow::{Result, ensure};
use async_trait::async_trait;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::json;

use super::backlog::{AT_ONCE, LATENCY, PACK};
use super::endpoint::{Endpoint, MODEL};
use super::store;
use crate::args::Options;
use crate::cases::{Case, RATE};
use crate::figures::Reading;
use crate::processor::OF_ENDPOINT;
use crate::stage::Database;

pub struct Ceiling;

#[async_trait(?Send)]
impl Case for Ceiling {
    fn name(&self) -> &'static str {
        "embed/endpoint"
    }

    fn title(&self) -> &'static str {
        "ceiling: the same requests by a bare client, nothing stored"
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        store::create(&session).await?;
        store::fill(&session, options.embedded_rows).await?;
        let texts = store::texts(&session).await?;
        let body = |inputs: &[String]| {
            json!({"model": MODEL, "input": inputs, "encoding_format": "base64", "dimensions": store::DIMENSIONS})
                .to_string()
        };
        let bodies: Vec<String> = texts.chunks(PACK).map(body).collect();
        database.settle().await?;
        let endpoint = Endpoint::start(LATENCY)?;

        let started = Instant::now();
        stream::iter(bodies.into_iter().map(|body| endpoint.embed(body)))
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        let time = started.elapsed().as_secs_f64();

        let inputs = endpoint.seen().await?.inputs;
        ensure!(inputs == texts.len() as u64, "{inputs} texts were embedded");
        Ok(vec![
            RATE.reads(texts.len() as f64 / time),
            OF_ENDPOINT.reads(endpoint.processor_seconds()?),
        ])
    }
}
