//! `zerodb-hooks tail`: what has ended lately, and with `--follow` what ends from now on; with `--events` also what is
//! written. Shows who, what and how it ended, never a payload. It reads by cursors, and nobody is notified for it.

mod lines;
mod source;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum, value_parser};
use jiff::{SignedDuration, Timestamp};

use super::args::Database;
use super::interrupt::Interrupt;
use super::render::{self, Screen};
use super::times::parse_time;
use source::{Found, Source};

const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How far back one looks who does not follow.
const LATELY: SignedDuration = SignedDuration::from_mins(10);

/// Options of `zerodb-hooks tail`.
#[derive(Args, Clone)]
pub struct TailArgs {
    /// The database to read.
    #[command(flatten)]
    pub database: Database,

    /// Go on until Ctrl-C with what ends from now on; a connection that is lost is made again
    #[arg(long, short)]
    pub follow: bool,

    /// Only attempts of this hook: its id or its name
    #[arg(long, value_name = "ID|NAME")]
    pub hook: Option<String>,

    /// Only what is of this event type or pattern, such as order.created or 'order.*'
    #[arg(long = "type", value_name = "TYPE")]
    pub event_type: Option<String>,

    /// Only attempts that ended like this
    #[arg(long, value_name = "STATE", value_enum)]
    pub state: Option<State>,

    /// Events too, as they are written; those that the hook is for, where one is named
    #[arg(long)]
    pub events: bool,

    /// Start with what is since then: an age such as 10m or 2h, or a time such as 2026-05-01T12:00:00Z [default: 10m,
    /// with --follow now]
    #[arg(long, value_name = "AGE|TIME", value_parser = parse_time)]
    pub since: Option<Timestamp>,

    /// End after so many lines
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    pub limit: Option<u64>,

    /// Print one JSON object a line: {"kind": "attempt" | "event", …}
    #[arg(long)]
    pub json: bool,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum State {
    /// It went well.
    Completed,
    /// It failed, and is tried again.
    Failed,
    /// It failed, and was given up.
    Discarded,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Discarded => "discarded",
        }
    }
}

/// Prints until all is read, or with `--follow` until Ctrl-C, SIGTERM or the limit.
pub(super) async fn run(args: TailArgs) -> anyhow::Result<ExitCode> {
    let mut interrupt = Interrupt::new()?;
    let since = match (args.since, args.follow) {
        (None, false) => Some(Timestamp::now().checked_sub(LATELY)?),
        (since, _) => since,
    };
    let mut source = Source::open(&args, since).await?;
    let mut printer = Printer {
        json: args.json,
        screen: Screen::stdout(),
        left: args.limit,
    };
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        // What is left of an older time is read without a pause.
        tokio::select! {
            biased;
            () = interrupt.wait() => return Ok(ExitCode::SUCCESS),
            () = std::future::ready(()), if source.is_behind() => {}
            _ = tick.tick() => {}
        }
        let found = tokio::select! {
            () = interrupt.wait() => return Ok(ExitCode::SUCCESS),
            found = source.look(&args) => found?,
        };
        let is_done = printer.print(&found)?;
        if is_done || (!args.follow && !source.is_behind()) {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

struct Printer {
    json: bool,
    screen: Screen,
    left: Option<u64>,
}

impl Printer {
    /// Whether the limit is reached.
    fn print(&mut self, found: &[Found]) -> std::io::Result<bool> {
        for one in found {
            render::line(&match (one, self.json) {
                (Found::Attempt(attempt), true) => lines::document(attempt),
                (Found::Attempt(attempt), false) => lines::line(attempt, self.screen),
                (Found::Event(event), true) => lines::event_document(event),
                (Found::Event(event), false) => lines::event_line(event, self.screen),
            })?;
            self.left = self.left.map(|left| left - 1);
            if self.left == Some(0) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
