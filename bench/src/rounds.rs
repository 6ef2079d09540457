//! Takes turns: every case once in each round, so that what disturbs the machine for a minute disturbs all of them; and
//! at the end, once, those that are measured once. A case that fails is left out from then on, and the run fails at its
//! end: hours of readings are not thrown away for it.

use anyhow::Result;

use crate::args::Options;
use crate::cases::Case;
use crate::figures::{Figures, Reading};
use crate::stage::Stage;

pub struct Run {
    pub figures: Figures,
    /// Case, and what went wrong.
    pub failures: Vec<(&'static str, String)>,
}

pub async fn run(stage: &Stage, cases: &[Box<dyn Case>], options: &Options) -> Run {
    let mut run = Run {
        figures: Figures::default(),
        failures: Vec::new(),
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
        match measure(stage, case, options).await {
            Ok(readings) => {
                eprintln!("{turn}  {name:<36} {}", said(&readings));
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

async fn measure(stage: &Stage, case: &dyn Case, options: &Options) -> Result<Vec<Reading>> {
    let database = stage.fresh_database().await?;
    let measured = case.measure(&database, options).await;
    let removed = database.remove().await;
    let readings = measured?;
    removed?;
    Ok(readings)
}

fn said(readings: &[Reading]) -> String {
    let said: Vec<_> = readings
        .iter()
        .map(|Reading { metric, value }| format!("{} {value:.2} {}", metric.name, metric.unit))
        .collect();
    said.join(", ")
}
