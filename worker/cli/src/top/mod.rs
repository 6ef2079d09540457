//! `zerodb-hooks top`: what goes on, refreshed until it is told to stop: events written, attempts ended, what waits and
//! runs, the hooks that need a look. Every number is of a bounded read.

mod page;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, value_parser};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::args::Database;
use super::interrupt::Interrupt;
use super::render::{self, Screen};
use super::times::parse_duration;
use page::Page;
use zerodb_hooks_queries::{
    Client, EndRates, InstallationStatus, Pulse, RunningHook, Written, running_hooks, status_document,
    written,
};

/// The time over which writes are counted where nothing was shown before.
const FIRST: Duration = Duration::from_secs(1);
/// Nobody reads faster, and each page costs the server some milliseconds.
const SHORTEST: Duration = Duration::from_millis(200);

/// Options of `zerodb-hooks top`.
#[derive(Args, Clone)]
pub struct TopArgs {
    /// The database to ask.
    #[command(flatten)]
    pub database: Database,

    /// Show one page and end; it takes a second, in which writes are counted
    #[arg(long)]
    pub once: bool,

    /// Time between two pages: 500ms, 2s; 200ms at least
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_duration)]
    pub every: Duration,

    /// Hooks on a page: those with trouble first, then those that run
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = value_parser!(u16).range(1..=200))]
    pub hooks: u16,

    /// Print JSON documents, one a line
    #[arg(long)]
    pub json: bool,
}

/// Shows one page, or one after the other until Ctrl-C or SIGTERM.
pub(super) async fn run(args: TopArgs) -> anyhow::Result<ExitCode> {
    let client = args.database.client("top").await?;
    let mut interrupt = Interrupt::new()?;
    let pulse = Pulse::new(&client).await?;
    let screen = Screen::stdout();
    let mut before = written(&client).await?;
    let mut wait = FIRST;
    let terminal = Terminal::take(screen, &args)?;
    loop {
        tokio::select! {
            biased;
            () = interrupt.wait() => return Ok(ExitCode::SUCCESS),
            () = tokio::time::sleep(wait) => {}
        }
        let sight = tokio::select! {
            () = interrupt.wait() => return Ok(ExitCode::SUCCESS),
            sight = Sight::take(&client, &pulse, &before) => sight?,
        };
        before = sight.written;
        let text = match args.json {
            true => sight.document(),
            false => Page {
                sight: &sight,
                screen,
                hooks: args.hooks.into(),
            }
            .text(),
        };
        terminal.show(&text)?;
        if args.once {
            return Ok(ExitCode::SUCCESS);
        }
        wait = args.every.max(SHORTEST);
    }
}

/// All that one page is made of.
struct Sight {
    at: Timestamp,
    written: Written,
    /// Events a second.
    written_rate: Option<f64>,
    ends: EndRates,
    status: InstallationStatus,
    running: Vec<RunningHook>,
}

impl Sight {
    async fn take(client: &Client, pulse: &Pulse, before: &Written) -> anyhow::Result<Self> {
        let status = InstallationStatus::deserialize(&status_document(client).await?).context(
            "zerodb.status() has another form than this program knows: are both of the same version?",
        )?;
        let running = running_hooks(client).await?;
        let ends = pulse.end_rates(client).await?;
        let written = written(client).await?;
        Ok(Self {
            at: Timestamp::now(),
            written_rate: written.rate_since(before),
            written,
            ends,
            status,
            running,
        })
    }

    fn document(&self) -> String {
        json!({
            "time": self.at,
            "written_per_second": self.written_rate,
            "ended_per_second": self.ends,
            "running_hooks": self.running,
            "status": self.status,
        })
        .to_string()
    }
}

/// The screen that pages are shown on, one in the place of the other where a person looks, and left as it was.
struct Terminal {
    is_taken: bool,
    is_paged: bool,
}

impl Terminal {
    fn take(screen: Screen, args: &TopArgs) -> std::io::Result<Self> {
        let is_taken = screen.terminal && !args.once && !args.json;
        if is_taken {
            // The alternate screen, without a cursor, and a line that is too long is cut off.
            render::raw("\x1b[?1049h\x1b[?25l\x1b[?7l")?;
        }
        let is_paged = !args.json && !args.once;
        Ok(Self { is_taken, is_paged })
    }

    fn show(&self, text: &str) -> std::io::Result<()> {
        if self.is_taken {
            // Over the page before, so that nothing flickers; and no longer than the window, which would move it.
            let lines: Vec<&str> = text.lines().take(render::rows()).collect();
            return render::raw(&format!("\x1b[H{}\x1b[K\x1b[J", lines.join("\x1b[K\n")));
        }
        render::line(text)?;
        if self.is_paged { render::line("") } else { Ok(()) }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.is_taken {
            let _ = render::raw("\x1b[?7h\x1b[?25h\x1b[?1049l");
        }
    }
}
