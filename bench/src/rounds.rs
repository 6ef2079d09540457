//! Takes turns: every case once in each round, so that what disturbs the machine for a minute disturbs all of them.

use anyhow::{Context, Result};

use crate::args::Options;
use crate::cases::Case;
use crate::figures::Figures;
use crate::stage::Stage;

pub async fn run(stage: &Stage, cases: &[Box<dyn Case>], options: &Options) -> Result<Figures> {
    let mut figures = Figures::default();
    for round in 1..=options.rounds {
        for case in cases {
            let database = stage.fresh_database().await?;
            let measured = case.measure(&database, options).await;
            let readings = measured.with_context(|| format!("case {} in round {round}", case.name()))?;
            database.remove().await?;
            let said: Vec<_> = readings
                .iter()
                .map(|reading| {
                    format!(
                        "{} {:.2} {}",
                        reading.metric.name, reading.value, reading.metric.unit
                    )
                })
                .collect();
            eprintln!(
                "round {round}/{}  {:<24} {}",
                options.rounds,
                case.name(),
                said.join(", ")
            );
            readings
                .into_iter()
                .for_each(|reading| figures.add(case.name(), reading));
        }
    }
    Ok(figures)
}
