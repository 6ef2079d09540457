//! The benchmarks of `make bench`: a durable throw-away server, cases that take turns round by round, and a report of
//! figures and of ratios between cases of the same round. It measures and checks that the work was really done; it
//! never asserts a time.

mod args;
mod cases;
mod figures;
mod machine;
mod noop_worker;
mod pgbench;
mod process;
mod ratios;
mod report;
mod rivals;
mod rounds;
mod schema;
mod stage;
mod wait;

use anyhow::{Result, ensure};
use clap::Parser;

use args::{Cli, Command, Options};
use machine::Machine;
use stage::Stage;

#[tokio::main]
async fn main() -> Result<()> {
    let Cli { options, command } = Cli::parse();
    match command {
        Some(Command::NoopWorker(arguments)) => noop_worker::run(arguments).await,
        None => bench(&options).await,
    }
}

async fn bench(options: &Options) -> Result<()> {
    let cases: Vec<_> = cases::all()
        .into_iter()
        .chain(rivals::all())
        .filter(|case| options.selects(case.name()))
        .collect();
    ensure!(
        !cases.is_empty(),
        "no case has a name that starts with {}",
        options.only.join(" or ")
    );
    let stage = Stage::start().await?;
    let machine = Machine::describe(&stage).await?;
    machine
        .warnings
        .iter()
        .for_each(|warning| eprintln!("warning: {warning}"));
    let figures = rounds::run(&stage, &cases, options).await?;
    report::print(&machine, options, &figures);
    let path = report::save(&machine, options, &figures)?;
    println!("\nEvery reading of every round: {}", path.display());
    Ok(())
}
