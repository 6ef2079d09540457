//! The command line.

use clap::{Args, Parser, Subcommand, value_parser};
use serde::Serialize;

/// Benchmarks of zerodb_hooks; without arguments all of them, as `make bench` does.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(flatten)]
    pub options: Options,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Args, Serialize)]
pub struct Options {
    /// Rounds; in each one every case is measured once
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u32).range(1..))]
    pub rounds: u32,

    /// Seconds that single rows are inserted for
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u32).range(1..))]
    pub seconds: u32,

    /// Clients that insert single rows at once
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = value_parser!(u32).range(1..=64))]
    pub clients: u32,

    /// Rows of a bulk insert
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = value_parser!(u32).range(1..))]
    pub rows: u32,

    /// Events of a burn-down, and jobs of the rivals'
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = value_parser!(u32).range(1..))]
    pub events: u32,

    /// Deliveries whose latency is measured while idle, in each round
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = value_parser!(u32).range(1..))]
    pub samples: u32,

    /// Seconds that rows are written for at a steady rate, with and without a snapshot that is held open
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = value_parser!(u32).range(1..))]
    pub held_seconds: u32,

    /// Seconds that 100 webhook endpoints get events for, with and without one that hangs
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = value_parser!(u32).range(1..))]
    pub endpoint_seconds: u32,

    /// Rows that auto_embed hooks embed from a backlog
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = value_parser!(u32).range(1..))]
    pub embedded_rows: u32,

    /// Relations of the graph whose neighbours are looked for; five an entity
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = value_parser!(u32).range(1000..))]
    pub relations: u32,

    /// Rows of the table of which the status view tells
    #[arg(long, value_name = "N", default_value_t = 10_000_000, value_parser = value_parser!(u32).range(1..))]
    pub status_rows: u32,

    /// Events of the history that is looked into, in thousands; 20000 are those of the project's targets
    #[arg(long = "history-thousands", value_name = "N", default_value_t = 1000, value_parser = value_parser!(u32).range(1..=100_000))]
    pub history_thousands: u32,

    /// Ids that each pass of the look-ups asks for
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = value_parser!(u32).range(10..))]
    pub asks: u32,

    /// The most hooks that other users have on one event type
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = value_parser!(u32).range(1000..=10_000_000))]
    pub others: u32,

    /// Only cases whose name starts with this, such as single or single/hook; may be repeated
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
}

impl Options {
    /// Events of the history.
    pub fn history(&self) -> u32 {
        self.history_thousands * 1000
    }

    pub fn selects(&self, case: &str) -> bool {
        self.only.is_empty() || self.names(case)
    }

    /// Whether `--only` asks for it.
    pub fn names(&self, case: &str) -> bool {
        self.only.iter().any(|start| case.starts_with(start))
    }
}

#[derive(Subcommand)]
pub enum Command {
    /// The worker library with a handler that does nothing; a process of its own, so that its memory is its own.
    #[command(hide = true)]
    NoopWorker(NoopArgs),
}

#[derive(Args)]
pub struct NoopArgs {
    #[arg(long)]
    pub database_url: String,

    /// Deliveries after which a line is printed
    #[arg(long)]
    pub expect: u64,
}
