//! Other queues, measured in the same rounds on the same server with the metrics of ours. A rival is a runner in
//! `bench/rivals/`, built on its published package, and a file here with its cases; `all` lists them.

mod graphile_worker;
mod history;
mod pgmq;
mod runner;

use std::rc::Rc;

use serde::Serialize;

pub use history::FINISHED_P50;

use crate::args::Options;
use crate::cases::Case;
use runner::Runner;

/// One rival with its cases, not yet installed.
struct Rival {
    /// Package and version, as its registry names it.
    package: &'static str,
    runner: Rc<Runner>,
    cases: Vec<Box<dyn Case>>,
}

/// A rival that was asked for, and why it did not run where it did not.
#[derive(Serialize)]
pub struct Presence {
    pub package: &'static str,
    pub skipped: Option<String>,
}

fn all() -> Vec<Rival> {
    vec![graphile_worker::rust(), graphile_worker::node(), pgmq::rival()]
}

/// Installs the rivals that the options ask for. One that cannot be installed is left out, with the reason.
pub async fn install(options: &Options) -> (Vec<Box<dyn Case>>, Vec<Presence>) {
    let (mut cases, mut presences) = (Vec::new(), Vec::new());
    for Rival {
        package,
        runner,
        cases: mut own,
    } in all()
    {
        own.retain(|case| options.selects(case.name()));
        if own.is_empty() {
            continue;
        }
        eprintln!("rival {package}: installing (a few minutes the first time)");
        let skipped = runner.install().await.err().map(|error| format!("{error:#}"));
        match &skipped {
            Some(reason) => eprintln!("rival {package}: SKIPPED: {reason}"),
            None => cases.append(&mut own),
        }
        presences.push(Presence { package, skipped });
    }
    (cases, presences)
}
