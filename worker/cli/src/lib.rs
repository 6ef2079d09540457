//! The operator's commands of `zerodb-hooks`: what is typed, what is printed, how an error reads and with which code
//! the program ends. What is read of a database is `zerodb_hooks_queries`' business, what `bench` does there
//! `zerodb_hooks_measure`'s. It must not know how the worker works: `Worker` is parsed here and run by `main`.

mod apply;
mod args;
mod backfills;
mod bench;
mod command_line;
mod doctor;
mod environment;
mod failure;
mod hooks;
mod interrupt;
mod listen;
mod models;
mod named_hook;
mod recall;
mod render;
mod replay;
mod signing;
mod status;
mod tail;
mod times;
mod top;
mod trial;

use std::process::ExitCode;

pub use apply::{ApplyArgs, ExportArgs, source_of};
pub use args::{ChildArgs, Database, LogFormat, WorkerArgs};
pub use backfills::BackfillsArgs;
pub use bench::BenchArgs;
pub use command_line::{Cli, Command};
pub use doctor::DoctorArgs;
pub use environment::unread as unread_variables;
pub use failure::{CommandFailure, report};
pub use hooks::HooksArgs;
pub use interrupt::Interrupt;
pub use listen::ListenArgs;
pub use models::ModelArgs;
pub use recall::RecallArgs;
pub use replay::ReplayArgs;
pub use signing::SecretArgs;
pub use status::StatusArgs;
pub use tail::TailArgs;
pub use top::TopArgs;
pub use trial::TrialArgs;

/// Runs any command but `worker`, `parse` and `render`, which are `main`'s.
pub async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Worker(_) | Command::Parse(_) | Command::Render(_) => {
            anyhow::bail!("this command is started by main")
        }
        Command::Status(args) => status::run(args).await,
        Command::Hooks(args) => hooks::run(args).await,
        Command::Apply(args) => apply::run(args).await,
        Command::Export(args) => apply::export(args).await,
        Command::Schema => apply::schema(),
        Command::Tail(args) => tail::run(args).await,
        Command::Top(args) => top::run(args).await,
        Command::Test(args) => trial::test(args).await,
        Command::Preview(args) => trial::preview(args).await,
        Command::Replay(args) => replay::run(args).await,
        Command::Backfills(args) => backfills::run(args).await,
        Command::Recall(args) => recall::run(args).await,
        Command::Doctor(args) => doctor::run(args).await,
        Command::Listen(args) => listen::run(args).await,
        Command::Secret(args) => signing::run(args).await,
        Command::Bench(args) => bench::run(args).await,
    }
}
