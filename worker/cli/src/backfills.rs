//! `zerodb-hooks backfills`: how far backfills are, once or as bars until all have ended. It starts none: zerodb.backfill and
//! zerodb.reembed do.

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use comfy_table::Cell;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use tokio_postgres::{Client, Row};

use super::args::Database;
use super::failure::{self, Failure};
use super::interrupt::Interrupt;
use super::render::{self, Screen, Tone};
use super::statements;

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(500);

/// Options of `zerodb-hooks backfills`.
#[derive(Args, Clone)]
pub struct BackfillsArgs {
    /// The database to ask
    #[command(flatten)]
    pub database: Database,

    /// Show it until all have finished, as bars on a terminal, or until Ctrl-C
    #[arg(long)]
    pub watch: bool,

    /// Print one JSON document: {"backfills": [...]}; with --watch one a line
    #[arg(long)]
    pub json: bool,
}

struct Backfill {
    hook: String,
    target: String,
    state: String,
    total: Option<i64>,
    seen: i64,
    done: i64,
    failed: i64,
    percent: Option<f64>,
    remaining_seconds: Option<f64>,
    last_error: Option<String>,
}

impl Backfill {
    fn from_row(row: &Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            hook: row.try_get("hook_name")?,
            target: row.try_get("target")?,
            state: row.try_get("state")?,
            total: row.try_get("total")?,
            seen: row.try_get("seen")?,
            done: row.try_get("done")?,
            failed: row.try_get("failed")?,
            percent: row.try_get("percent")?,
            remaining_seconds: row.try_get("remaining_seconds")?,
            last_error: row.try_get("last_error")?,
        })
    }

    fn has_ended(&self) -> bool {
        self.state == "finished"
    }

    fn json(&self) -> Value {
        json!({
            "hook": self.hook, "target": self.target, "state": self.state, "total": self.total, "seen": self.seen, "done": self.done,
            "failed": self.failed, "percent": self.percent, "remaining_seconds": self.remaining_seconds, "last_error": self.last_error,
        })
    }

    fn cells(&self, screen: Screen) -> [Cell; 10] {
        let unknown = || "?".to_owned();
        let plain = |text: &str| screen.cell(Tone::Plain, text);
        let state = if self.has_ended() { Tone::Good } else { Tone::Plain };
        let failed = if self.failed > 0 {
            Tone::Warning
        } else {
            Tone::Plain
        };
        let remaining = self.remaining_seconds.map(render::age).unwrap_or_default();
        [
            plain(&self.hook),
            plain(&self.target),
            screen.cell(state, &self.state),
            plain(&self.percent.map_or_else(unknown, |percent| percent.to_string())),
            plain(&self.seen.to_string()),
            plain(&self.total.map_or_else(unknown, |total| total.to_string())),
            plain(&self.done.to_string()),
            screen.cell(failed, &self.failed.to_string()),
            screen.cell(Tone::Faint, &remaining),
            screen.cell(Tone::Faint, self.last_error.as_deref().unwrap_or("")),
        ]
    }

    /// What stands behind its bar.
    fn says(&self) -> String {
        let failed = if self.failed > 0 {
            format!(", {} failed", self.failed)
        } else {
            String::new()
        };
        let error = match &self.last_error {
            Some(error) if !self.has_ended() => format!(": {}", render::clip(&render::clean(error), 60)),
            _ => String::new(),
        };
        format!("{}{failed}{error}", self.state)
    }
}

/// Shows backfills once, or until they have ended.
pub(super) async fn run(args: BackfillsArgs) -> anyhow::Result<ExitCode> {
    let client = args.database.client("backfills").await?;
    let screen = Screen::stdout();
    let mut backfills = load(&client).await?;
    if !args.watch {
        render::line(&text(&backfills, args.json, screen))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut interrupt = Interrupt::new()?;
    let mut tick = tokio::time::interval(INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let as_bars = screen.terminal && !args.json;
    let (mut bars, mut last) = (Bars::new(as_bars), String::new());
    loop {
        if as_bars && !backfills.is_empty() {
            bars.show(&backfills);
        } else {
            let now = text(&backfills, args.json, screen);
            if now != last {
                render::line(&now)?;
                last = now;
            }
        }
        if backfills.iter().all(Backfill::has_ended) {
            return Ok(ExitCode::SUCCESS);
        }
        tokio::select! {
            () = interrupt.wait() => return Ok(ExitCode::SUCCESS),
            _ = tick.tick() => backfills = load(&client).await?,
        }
    }
}

async fn load(client: &Client) -> Result<Vec<Backfill>, Failure> {
    let rows = client.query(statements::BACKFILLS, &[]).await;
    let rows = rows.map_err(|error| failure::explain(&error))?;
    let backfills: Result<Vec<_>, _> = rows.iter().map(Backfill::from_row).collect();
    backfills.map_err(|error| failure::explain(&error))
}

fn text(backfills: &[Backfill], as_json: bool, screen: Screen) -> String {
    if as_json {
        let all: Vec<Value> = backfills.iter().map(Backfill::json).collect();
        return json!({ "backfills": all }).to_string();
    }
    if backfills.is_empty() {
        return "There are no backfills here. Start one: SELECT zerodb.backfill(id) for an auto_embed hook."
            .into();
    }
    let mut table = screen.table(&[
        "HOOK",
        "TABLE",
        "STATE",
        "%",
        "SEEN",
        "TOTAL",
        "DONE",
        "FAILED",
        "REMAINING",
        "ERROR",
    ]);
    for one in backfills {
        table.add_row(one.cells(screen));
    }
    render::lines(&table)
}

/// A bar for each backfill.
struct Bars {
    all: MultiProgress,
    by_name: HashMap<(String, String), ProgressBar>,
}

impl Bars {
    fn new(is_shown: bool) -> Self {
        let target = if is_shown {
            ProgressDrawTarget::stdout()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            all: MultiProgress::with_draw_target(target),
            by_name: HashMap::new(),
        }
    }

    fn show(&mut self, backfills: &[Backfill]) {
        for one in backfills {
            let name = (one.hook.clone(), one.target.clone());
            let bar = self.by_name.entry(name).or_insert_with(|| {
                let bar = ProgressBar::new(1).with_style(style());
                bar.set_prefix(render::clean(&format!("{} {}", one.hook, one.target)));
                self.all.add(bar)
            });
            let whole = |number: i64| u64::try_from(number).unwrap_or(0);
            bar.set_length(whole(one.total.unwrap_or(0).max(one.seen)));
            bar.set_position(whole(one.seen));
            bar.set_message(one.says());
            if one.has_ended() {
                bar.abandon();
            }
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix} [{bar:30}] {human_pos}/{human_len} {percent}% {msg}")
        .map(|style| style.progress_chars("=> "))
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
