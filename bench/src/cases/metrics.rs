//! What counting costs an attempt, and what a scrape costs: in this process, with no database and no network, so that
//! nothing but the counting is measured. The hooks are a thousand, each with a name of its own in the labels.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use async_trait::async_trait;
use zerodb_hooks_worker::delivery::outcome::Outcome;
use zerodb_hooks_worker::metrics::{Exposition, Form, HookMeter, Meters};

use super::Case;
use crate::args::Options;
use crate::figures::{Metric, Reading};
use crate::stage::Database;

/// The case, for the targets.
pub const METRICS: &str = "metrics/counting";
/// Of one processor, at 2,000 deliveries a second.
pub const OF_PROCESSOR: Metric = Metric::new("counting, part of a processor at 2,000/s", "%");
pub const SCRAPE: Metric = Metric::new("a text of OpenMetrics", "ms");
const SERIES: Metric = Metric::new("series", "");

const HOOKS: usize = 1000;
const ATTEMPTS: usize = 1_000_000;
const DELIVERIES_A_SECOND: f64 = 2000.0;
/// As an event has it that was written within a trace.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

pub struct Counting;

#[async_trait(?Send)]
impl Case for Counting {
    fn name(&self) -> &'static str {
        METRICS
    }

    fn title(&self) -> &'static str {
        "what metrics cost an attempt and a scrape, 1,000 hooks"
    }

    async fn measure(&self, _database: &Database<'_>, _options: &Options) -> Result<Vec<Reading>> {
        let meters = Arc::new(Meters::new("0", HOOKS));
        let hooks: Vec<HookMeter> = (0..HOOKS)
            .map(|n| meters.of_hook(Default::default(), &format!("hook-{n}"), Some("webhook")))
            .collect();
        let started = Instant::now();
        for n in 0..ATTEMPTS {
            let hook = &hooks[n % HOOKS];
            hook.began(Duration::from_micros(1700), Some(TRACE));
            hook.ended(
                &Outcome::Completed { status: None },
                Duration::from_micros(900),
                Some(TRACE),
            );
        }
        let an_attempt = started.elapsed().as_secs_f64() / ATTEMPTS as f64;
        let exposition = Exposition::new(meters);
        let started = Instant::now();
        let text = black_box(exposition.text(Form::OpenMetrics));
        let scrape = started.elapsed().as_secs_f64() * 1000.0;
        let series = text.lines().filter(|line| !line.starts_with('#')).count();
        ensure!(series > HOOKS * 5, "{series} series");
        Ok(vec![
            OF_PROCESSOR.reads(an_attempt * DELIVERIES_A_SECOND * 100.0),
            SCRAPE.reads(scrape),
            SERIES.reads(series as f64),
        ])
    }
}
