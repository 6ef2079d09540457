//! `zerodb-hooks bench`: what hooks cost the writers of the user's own server, and how fast they run there. Decides only
//! the order: look, say what will be done, set up, measure, clear up whatever happened, report. Changes nothing but a
//! schema of its own, its hook and its event type.

mod burn_down;
mod check;
mod figures;
mod latency;
mod measure;
mod plan;
mod report;
mod stage;
mod worker;
mod write;

use std::process::ExitCode;

use clap::{Args, value_parser};
use tokio_util::sync::CancellationToken;

use super::args::Database;
use super::failure::{self, Failure};
use super::interrupt::Interrupt;
use super::render::{self, Screen};
use super::statements;
use check::Ready;
use measure::Bench;
use stage::Stage;

/// Options of `zerodb-hooks bench`.
#[derive(Args, Clone)]
pub struct BenchArgs {
    /// The database to measure in; a fresh one with the extension on the same server measures the server alone
    #[command(flatten)]
    pub database: Database,

    /// Seconds of each of the four times that single rows are inserted
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u32).range(1..=600))]
    pub seconds: u32,

    /// Clients that insert at once, each on a connection of its own
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = value_parser!(u32).range(1..=1000))]
    pub clients: u32,

    /// Events of the burn-down
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = value_parser!(u32).range(1..=5_000_000))]
    pub events: u32,

    /// Events whose latency is measured, one after the other
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = value_parser!(u32).range(1..=100_000))]
    pub samples: u32,

    /// Measure although workers are alive here: only the write tax, with them delivering
    #[arg(long)]
    pub with_other_workers: bool,

    /// Print one JSON document: {"write_tax", "latency", "burn_down", ...}
    #[arg(long)]
    pub json: bool,
}

/// Measures, and clears up also after an error, Ctrl-C and SIGTERM.
pub(super) async fn run(args: BenchArgs) -> anyhow::Result<ExitCode> {
    let url = args.database.url()?.to_owned();
    let mut interrupt = Interrupt::new()?;
    let Ready {
        client,
        store,
        server,
        others,
    } = tokio::select! {
        ready = check::ready(&args, &url) => ready?,
        () = interrupt.wait() => return Err(stopped("nothing was made").into()),
    };
    note(&plan::text(&args, &server, &others));

    let stage = Stage::set_up(client, others.workers.is_empty()).await?;
    let bench = Bench {
        args: &args,
        url: &url,
        stage: &stage,
        stop: CancellationToken::new(),
    };
    let measured = {
        let measuring = measure::all(&bench, others.workers.is_empty());
        tokio::pin!(measuring);
        tokio::select! {
            measured = &mut measuring => measured,
            () = interrupt.wait() => {
                bench.stop.cancel();
                note("stopping and clearing up");
                measuring.await
            }
        }
    };
    let cleared = stage.clear(&args.database, &store).await;
    let measured = match (measured, cleared) {
        (Ok(measured), cleared) => {
            cleared?;
            measured
        }
        (Err(error), Ok(())) => return Err(error),
        (Err(error), Err(left)) => {
            let left = failure::explain(left.as_ref());
            note(&format!(
                "not cleared up: {}; the next `zerodb-hooks bench` does it first",
                left.message
            ));
            return Err(error);
        }
    };
    render::line(&if args.json {
        report::json(&args, &server, &others, &measured).to_string()
    } else {
        report::text(&args, &server, &others, &measured, Screen::stdout())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What a person sees while it runs, beside the result on stdout.
fn note(text: &str) {
    eprintln!("{text}");
}

fn stopped(state: &str) -> Failure {
    Failure::new(format!("stopped before the end; {state}"), "")
}
