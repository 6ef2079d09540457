//! `make demo`: a throw-away server, the extension, the store, a worker and a receiver, all started here and gone at
//! the end, and what hooks do with them. Every number that is printed was measured or read in this run, and the
//! program fails when something was lost. It must not touch a server or a file that it has not made.

mod acts;
mod follow;
mod inbox;
mod install;
mod programs;
mod screen;
mod stage;
mod stop;
mod texts;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use crate::screen::Tone;
use crate::stage::Stage;
use crate::stop::{Interrupted, Stop};

/// One thread: the kernel ends worker and receiver with the thread that started them.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match demo().await {
        Ok(problems) if problems.is_empty() => ExitCode::SUCCESS,
        Ok(problems) => {
            problems
                .iter()
                .for_each(|problem| screen::say(Tone::Bad, &format!("WRONG: {problem}")));
            ExitCode::FAILURE
        }
        Err(error) if error.is::<Interrupted>() => {
            screen::say(
                Tone::Faint,
                "\nInterrupted. Everything that was started is stopped and deleted.",
            );
            ExitCode::from(130)
        }
        Err(error) => {
            screen::say(Tone::Bad, &format!("\nThe demo failed: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// What was wrong, one line each.
async fn demo() -> Result<Vec<String>> {
    let mut stop = Stop::new()?;
    let started = Instant::now();
    let mut stage = stop.or(Stage::build()).await?;
    let played = stop.or(play(&mut stage)).await;
    if let Err(error) = played {
        if !error.is::<Interrupted>() {
            stage.show_worker_log();
        }
        return Err(error);
    }
    if keep() {
        stage.show_ways_in();
        let _interrupted = stop.or(stage.show_arrivals()).await;
        stage.close().await?;
        screen::say(Tone::Plain, "\nStopped and deleted.");
    } else {
        stop.or(stage.close()).await?;
        screen::say(
            Tone::Plain,
            &format!(
                "\nStopped and deleted, after {:.0} s. To go on:\n",
                started.elapsed().as_secs_f64()
            ),
        );
        screen::say(
            Tone::Plain,
            "  make demo KEEP=1                              the same, and it stays up for your psql",
        );
        screen::say(
            Tone::Plain,
            "  make test                                     every test, on PostgreSQL 18 and 15",
        );
        screen::say(
            Tone::Plain,
            "  make install PG_CONFIG=/path/to/pg_config     into a server of your own",
        );
    }
    Ok(stage.problems)
}

async fn play(stage: &mut Stage) -> Result<()> {
    acts::files::play(stage).await?;
    acts::memories::play(stage).await?;
    acts::vectors::play(stage).await?;
    acts::rollback::play(stage).await?;
    acts::crash::play(stage).await?;
    acts::outage::play(stage).await?;
    acts::recall::play(stage).await?;
    acts::graph::play(stage).await?;
    acts::summary::play(stage).await
}

/// `make demo KEEP=1`.
fn keep() -> bool {
    std::env::var_os("KEEP").is_some_and(|value| !value.is_empty() && value != "0")
}
