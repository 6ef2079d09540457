//! The benchmarks of `make bench`: a durable throw-away server, cases that take turns round by round, and a report of
//! figures, of ratios between cases of the same round, and of targets. It measures and checks that the work was really
//! done; it never asserts a time.

mod args;
mod beside;
mod cases;
mod digits;
mod draw;
mod figures;
mod host;
mod machine;
mod noop_worker;
mod pgbench;
mod process;
mod processor;
mod ratios;
mod report;
mod results;
mod rivals;
mod rounds;
mod schema;
mod stage;
mod targets;
mod wait;

use anyhow::{Result, ensure};
use clap::Parser;

use args::{Cli, Command, Options};
use machine::Machine;
use report::Report;
use stage::Stage;

/// As the worker's own binary, which the burn-down stands for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<()> {
    let Cli { options, command } = Cli::parse();
    match command {
        Some(Command::NoopWorker(arguments)) => noop_worker::run(arguments).await,
        None => bench(&options).await,
    }
}

async fn bench(options: &Options) -> Result<()> {
    let stage = Stage::start().await?;
    let machine = Machine::describe(&stage).await?;
    machine
        .warnings
        .iter()
        .for_each(|warning| eprintln!("warning: {warning}"));
    let mut cases = cases::all();
    cases.retain(|case| options.names(case.name()) || (options.selects(case.name()) && !case.is_on_demand()));
    let (rivals_cases, rivals) = rivals::install(options).await;
    cases.extend(rivals_cases);
    ensure!(
        !cases.is_empty() || !rivals.is_empty(),
        "no case has a name that starts with {}",
        options.only.join(" or ")
    );
    let run = rounds::run(&stage, &cases, options).await;
    let report = Report {
        machine: &machine,
        options,
        cases: &cases,
        run: &run,
        rivals: &rivals,
    };
    report::print(&report);
    let path = results::save(&report)?;
    println!("\nEvery reading of every round: {}", path.display());
    ensure!(
        run.failures.is_empty(),
        "{} cases failed: see above",
        run.failures.len()
    );
    Ok(())
}
