//! `zerodb-hooks bench`: says what will be done, has it measured, and prints what came of it. The measuring is the
//! crate
//! `zerodb_hooks_measure`'s.

mod plan;
mod report;

use std::process::ExitCode;

use clap::{Args, value_parser};
use tokio_util::sync::CancellationToken;
use zerodb_hooks_measure::{BenchRefusal, Load, measure, ready};

use super::args::Database;
use super::interrupt::Interrupt;
use super::render::{self, Screen};

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
    let url = args.database.url()?;
    let load = Load {
        seconds: args.seconds,
        clients: args.clients,
        events: args.events,
        samples: args.samples,
    };
    let mut interrupt = Interrupt::new()?;
    let ready = tokio::select! {
        ready = ready(url, load, args.with_other_workers, &note) => ready?,
        () = interrupt.wait() => return Err(BenchRefusal::stopped("nothing was made").into()),
    };
    let (server, others) = (ready.server.clone(), ready.others.clone());
    note(&plan::text(load, &server, &others));

    let stop = CancellationToken::new();
    let measuring = measure(ready, url, load, &stop, &note);
    tokio::pin!(measuring);
    let measured = tokio::select! {
        measured = &mut measuring => measured?,
        () = interrupt.wait() => {
            stop.cancel();
            note("stopping and clearing up");
            measuring.await?
        }
    };
    render::line(&if args.json {
        report::json(load, &server, &others, &measured).to_string()
    } else {
        report::text(load, &server, &others, &measured, Screen::stdout())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What a person sees while it runs, beside the result on stdout.
fn note(text: &str) {
    eprintln!("{text}");
}
