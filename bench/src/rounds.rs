//! Takes turns: every case once in each round, so that what disturbs the machine for a minute disturbs all of them; and
//! at the end, once, those that are measured once. A case that fails is left out from then on, and the run fails at its
//! end: hours of readings are not thrown away for it.

use anyhow::Result;

use crate::args::Options;
use crate::cases::Case;
use crate::figures::{Figures, Reading};
use crate::host::{self, Times};
use crate::stage::Stage;

/// How often a case of a round is measured until the host has left the machine to it; the least disturbed one counts.
const TRIES: usize = 4;

/// What the names of rivals' cases start with. One that fails has a second try, and what it read before counts: a
/// rival's fault must not cost the comparison.
const RIVAL: &str = "rival/";

pub struct Run {
    pub figures: Figures,
    /// Case, and what went wrong.
    pub failures: Vec<(&'static str, String)>,
    /// Case, its turn, and the percentage of the processors that the host took all the same.
    pub disturbed: Vec<(&'static str, String, f64)>,
}

/// What a case read, and the percentage of the processors that the host took meanwhile.
struct Measured {
    readings: Vec<Reading>,
    stolen: f64,
}

pub async fn run(stage: &Stage, cases: &[Box<dyn Case>], options: &Options) -> Run {
    let mut run = Run {
        figures: Figures::default(),
        failures: Vec::new(),
        disturbed: Vec::new(),
    };
    for round in 1..=options.rounds {
        for case in cases.iter().filter(|case| !case.is_once()) {
            let turn = format!("round {round}/{}", options.rounds);
            run.take_turn(stage, case.as_ref(), options, &turn).await;
        }
    }
    for case in cases.iter().filter(|case| case.is_once()) {
        run.take_turn(stage, case.as_ref(), options, "once").await;
    }
    run
}

impl Run {
    async fn take_turn(&mut self, stage: &Stage, case: &dyn Case, options: &Options, turn: &str) {
        let name = case.name();
        if self.failures.iter().any(|(failed, _)| *failed == name) {
            return;
        }
        match least_disturbed(stage, case, options).await {
            Ok(Measured { readings, stolen }) => {
                eprintln!("{turn}  {name:<36} {}", said(&readings));
                if stolen > host::TOLERABLE {
                    self.disturbed.push((name, turn.to_owned(), stolen));
                }
                readings
                    .into_iter()
                    .for_each(|reading| self.figures.add(name, reading));
            }
            Err(error) => {
                eprintln!("{turn}  {name:<36} FAILED: {error:#}");
                self.failures.push((name, format!("{turn}: {error:#}")));
            }
        }
    }
}

/// One that is measured once takes long: it gets one try.
async fn least_disturbed(stage: &Stage, case: &dyn Case, options: &Options) -> Result<Measured> {
    let mut best = measure_or_again(stage, case, options).await?;
    let tries = if case.is_once() { 1 } else { TRIES };
    for _ in 1..tries {
        if best.stolen <= host::TOLERABLE {
            break;
        }
        eprintln!(
            "again: the host took {:.0} % of the processors from {}",
            best.stolen,
            case.name()
        );
        match measure_or_again(stage, case, options).await {
            Ok(again) if again.stolen < best.stolen => best = again,
            Ok(_) => {}
            // What was read before still counts.
            Err(error) if is_rivals(case) => eprintln!("{} failed: {error:#}", case.name()),
            Err(error) => return Err(error),
        }
    }
    Ok(best)
}

async fn measure_or_again(stage: &Stage, case: &dyn Case, options: &Options) -> Result<Measured> {
    match measure(stage, case, options).await {
        Err(error) if is_rivals(case) => {
            eprintln!("again: {} failed: {error:#}", case.name());
            measure(stage, case, options).await
        }
        measured => measured,
    }
}

fn is_rivals(case: &dyn Case) -> bool {
    case.name().starts_with(RIVAL)
}

async fn measure(stage: &Stage, case: &dyn Case, options: &Options) -> Result<Measured> {
    host::quiet().await;
    let database = stage.fresh_database().await?;
    let before = Times::now()?;
    let measured = case.measure(&database, options).await;
    let stolen = Times::now()?.since(before).stolen_percent();
    let removed = database.remove().await;
    let readings = measured?;
    removed?;
    Ok(Measured { readings, stolen })
}

fn said(readings: &[Reading]) -> String {
    let said: Vec<_> = readings
        .iter()
        .map(|Reading { metric, value }| format!("{} {value:.2} {}", metric.name, metric.unit))
        .collect();
    said.join(", ")
}
