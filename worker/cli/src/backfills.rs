//! `zerodb-hooks backfills`: how far backfills are, once or as bars until all have ended. It starts none:
//! zerodb.backfill and zerodb.reembed do.

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use comfy_table::Cell;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::args::Database;
use super::interrupt::Interrupt;
use super::render::{self, Screen, Tone};
use zerodb_hooks_queries::{BackfillProgress, backfills};

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

/// Shows backfills once, or until they have ended.
pub(super) async fn run(args: BackfillsArgs) -> anyhow::Result<ExitCode> {
    let client = args.database.client("backfills").await?;
    let screen = Screen::stdout();
    let mut found = backfills(&client).await?;
    if !args.watch {
        render::line(&text(&found, args.json, screen))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut interrupt = Interrupt::new()?;
    let mut tick = tokio::time::interval(INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let as_bars = screen.terminal && !args.json;
    let (mut bars, mut last) = (Bars::new(as_bars), String::new());
    loop {
        if as_bars && !found.is_empty() {
            bars.show(&found);
        } else {
            let now = text(&found, args.json, screen);
            if now != last {
                render::line(&now)?;
                last = now;
            }
        }
        if found.iter().all(BackfillProgress::has_finished) {
            return Ok(ExitCode::SUCCESS);
        }
        tokio::select! {
            () = interrupt.wait() => return Ok(ExitCode::SUCCESS),
            _ = tick.tick() => found = backfills(&client).await?,
        }
    }
}

fn text(backfills: &[BackfillProgress], as_json: bool, screen: Screen) -> String {
    if as_json {
        return json!({ "backfills": backfills }).to_string();
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
        table.add_row(cells(one, screen));
    }
    render::lines(&table)
}

fn cells(backfill: &BackfillProgress, screen: Screen) -> [Cell; 10] {
    let unknown = || "?".to_owned();
    let plain = |text: &str| screen.cell(Tone::Plain, text);
    let state = if backfill.has_finished() {
        Tone::Good
    } else {
        Tone::Plain
    };
    let failed = if backfill.failed > 0 {
        Tone::Warning
    } else {
        Tone::Plain
    };
    let remaining = backfill.remaining_seconds.map(render::age).unwrap_or_default();
    [
        plain(&backfill.hook),
        plain(&backfill.target),
        screen.cell(state, &backfill.state),
        plain(
            &backfill
                .percent
                .map_or_else(unknown, |percent| percent.to_string()),
        ),
        plain(&backfill.seen.to_string()),
        plain(&backfill.total.map_or_else(unknown, |total| total.to_string())),
        plain(&backfill.done.to_string()),
        screen.cell(failed, &backfill.failed.to_string()),
        screen.cell(Tone::Faint, &remaining),
        screen.cell(Tone::Faint, backfill.last_error.as_deref().unwrap_or("")),
    ]
}

/// What stands behind the bar.
fn says(backfill: &BackfillProgress) -> String {
    let failed = if backfill.failed > 0 {
        format!(", {} failed", backfill.failed)
    } else {
        String::new()
    };
    let error = match &backfill.last_error {
        Some(error) if !backfill.has_finished() => format!(": {}", render::clip(&render::clean(error), 60)),
        _ => String::new(),
    };
    format!("{}{failed}{error}", backfill.state)
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

    fn show(&mut self, backfills: &[BackfillProgress]) {
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
            bar.set_message(says(one));
            if one.has_finished() {
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
