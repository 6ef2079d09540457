//! What a rival answers of its own history: one finished job by its key, drawn at random among as many as there are
//! events in ours. The jobs are put there by SQL, in the columns that its own functions fill.

use std::time::Instant;

use anyhow::{Result, ensure};
use zerodb_hooks_harness::Session;

use crate::args::Options;
use crate::draw;
use crate::figures::{Metric, Reading, percentile};
use crate::stage::Database;

pub const FINISHED_P50: Metric = Metric::new("a finished job by its key, p50", "ms");
const FINISHED_P99: Metric = Metric::new("a finished job by its key, p99", "ms");
/// Jobs that one statement makes.
const CHUNK: u32 = 500_000;

pub struct History {
    /// Makes the jobs from `{first}` to `{last}`.
    pub fill: &'static str,
    pub table: &'static str,
    /// Of the job with the number `{key}`.
    pub question: &'static str,
}

impl History {
    /// A reading of each pass.
    pub async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        let jobs = options.history();
        session.run("SET synchronous_commit = off").await?;
        let mut done = 0;
        while done < jobs {
            let last = jobs.min(done + CHUNK);
            let fill = self.fill.replace("{first}", &(done + 1).to_string());
            session.run(&fill.replace("{last}", &last.to_string())).await?;
            done = last;
        }
        session.run(&format!("VACUUM (ANALYZE) {}", self.table)).await?;
        database.settle().await?;
        let mut readings = Vec::new();
        for pass in 0..options.rounds {
            let times = self.ask(&session, jobs, pass, options.asks).await?;
            readings.push(FINISHED_P50.reads(percentile(&times, 0.5)));
            readings.push(FINISHED_P99.reads(percentile(&times, 0.99)));
        }
        Ok(readings)
    }

    /// Milliseconds of each question.
    async fn ask(&self, session: &Session, jobs: u32, pass: u32, asks: u32) -> Result<Vec<f64>> {
        let mut times = Vec::new();
        for at in 0..asks {
            let key = draw::number(pass * asks + at, jobs) + 1;
            let question = self.question.replace("{key}", &key.to_string());
            let started = Instant::now();
            let rows = session.texts(&question).await?;
            times.push(started.elapsed().as_secs_f64() * 1000.0);
            ensure!(rows.len() == 1, "{} jobs have the key {key}", rows.len());
        }
        Ok(times)
    }
}
