//! `zerodb-hooks status`: the document of zerodb.status(), as it is for programs and as tables for people. Counts
//! nothing by itself.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde::Deserialize;

use super::args::Database;
use super::interrupt::Interrupt;
use super::render::{self, Screen, Tone};
use zerodb_hooks_queries::{Client, HookStatus, InstallationStatus, status_document};

/// Options of `zerodb-hooks status`.
#[derive(Args, Clone)]
pub struct StatusArgs {
    /// The database to ask.
    #[command(flatten)]
    pub database: Database,

    /// Show it again every second until Ctrl-C
    #[arg(long)]
    pub watch: bool,

    /// Print one JSON document, that of zerodb.status(); with --watch one a line
    #[arg(long)]
    pub json: bool,
}

/// Shows the status once, or every second.
pub(super) async fn run(args: StatusArgs) -> anyhow::Result<ExitCode> {
    let client = args.database.client("status").await?;
    let screen = Screen::stdout();
    if !args.watch {
        render::line(&text(&client, args.json, screen).await?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut interrupt = Interrupt::new()?;
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = interrupt.wait() => return Ok(ExitCode::SUCCESS),
            _ = tick.tick() => {
                let text = text(&client, args.json, screen).await?;
                let clear = if args.json { "" } else { screen.clear() };
                render::line(&format!("{clear}{text}"))?;
            }
        }
    }
}

async fn text(client: &Client, json: bool, screen: Screen) -> anyhow::Result<String> {
    let document = status_document(client).await?;
    if json {
        return Ok(document.to_string());
    }
    let status = InstallationStatus::deserialize(&document)
        .context("zerodb.status() has another form than this program knows: are both of the same version?")?;
    Ok(page(&status, screen))
}

fn page(status: &InstallationStatus, screen: Screen) -> String {
    let mut text = summary(status, screen);
    if status.hooks.is_empty() {
        return text + "\n\nThere are no hooks yet: zerodb.create_hook makes one.";
    }
    let mut table = screen.table(&[
        "HOOK",
        "EVENT",
        "HEALTH",
        "WAITING",
        "RETRYING",
        "COMPLETED 5M",
        "FAILED 5M",
        "DISCARDED 5M",
    ]);
    for hook in &status.hooks {
        let (tone, health) = health(hook);
        let bad = |number: i64| {
            screen.cell(
                if number > 0 { Tone::Warning } else { Tone::Plain },
                &number.to_string(),
            )
        };
        table.add_row([
            screen.cell(Tone::Plain, &hook.hook_name),
            screen.cell(Tone::Plain, &hook.event_type),
            screen.cell(tone, health),
            screen.cell(Tone::Plain, &hook.waiting.to_string()),
            bad(hook.retryable),
            screen.cell(Tone::Plain, &hook.completed_5m.to_string()),
            bad(hook.failed_5m),
            bad(hook.discarded_5m),
        ]);
    }
    text.push_str("\n\n");
    text.push_str(&render::lines(&table));
    if status.is_limited("hooks") {
        text.push_str("\nThere are more hooks: `zerodb-hooks hooks` lists all.");
    }
    text
}

fn summary(status: &InstallationStatus, screen: Screen) -> String {
    let work = work(status);
    let oldest = if work > status.running_deliveries {
        render::age(status.oldest_age_seconds)
    } else {
        "-".into()
    };
    let counted = |field, text: String| match status.is_limited(field) {
        true => format!("{text} or more"),
        false => text,
    };
    let (events, deliveries) = (status.undispatched_events, status.waiting_deliveries);
    let time = match status.is_limited("attempts_per_second") {
        true => render::age(status.rate_seconds),
        false => "five minutes".into(),
    };
    format!(
        "Backlog   {}, {} waiting, {} running\nOldest    {oldest}\n\
         Rate      {:.2} attempts/s over {time}\nWorkers   {}",
        counted(
            "undispatched_events",
            render::count(events, "event to dispatch", "events to dispatch")
        ),
        counted(
            "waiting_deliveries",
            render::count(deliveries, "delivery", "deliveries")
        ),
        counted("running_deliveries", status.running_deliveries.to_string()),
        status.attempts_per_second,
        workers(status, screen),
    )
}

fn work(status: &InstallationStatus) -> i64 {
    status.undispatched_events + status.waiting_deliveries + status.running_deliveries
}

/// The workers that are alive, by their names, and how many are not.
pub(super) fn workers(status: &InstallationStatus, screen: Screen) -> String {
    let alive: Vec<_> = status
        .workers
        .iter()
        .filter(|worker| worker.alive)
        .map(|worker| render::clean(&worker.worker))
        .collect();
    let workers = match (alive.is_empty(), work(status)) {
        (false, _) => screen.paint(Tone::Good, &format!("{} alive", alive.len())) + ": " + &alive.join(", "),
        (true, 0) => screen.paint(Tone::Warning, "none alive"),
        (true, _) => screen.paint(
            Tone::Bad,
            "none alive, and there is work: start `zerodb-hooks worker`",
        ),
    };
    let expired = status.workers.len() - alive.len();
    let expired = if expired > 0 {
        format!("; {expired} whose lease has expired")
    } else {
        String::new()
    };
    workers + &expired
}

/// One word for how a hook does, from its last five minutes.
pub(super) fn health(hook: &HookStatus) -> (Tone, &'static str) {
    match (
        hook.is_active,
        hook.completed_5m,
        hook.failed_5m + hook.discarded_5m,
    ) {
        (false, ..) => (Tone::Faint, "inactive"),
        (true, 0, 0) if hook.retryable > 0 => (Tone::Warning, "retrying"),
        (true, 0, 0) => (Tone::Plain, "idle"),
        (true, _, 0) => (Tone::Good, "ok"),
        (true, 0, _) => (Tone::Bad, "failing"),
        (true, _, _) => (Tone::Warning, "some failures"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn status(hook: Value, workers: Value) -> InstallationStatus {
        let mut entry = json!({
            "id": uuid::Uuid::nil(), "event_type": "*", "hook_name": "h", "is_active": true, "waiting": 0, "retryable": 0,
            "completed_5m": 0, "failed_5m": 0, "discarded_5m": 0
        });
        if let (Value::Object(entry), Value::Object(hook)) = (&mut entry, hook) {
            entry.extend(hook);
        }
        serde_json::from_value(json!({
            "undispatched_events": 1, "waiting_deliveries": 2, "running_deliveries": 0, "oldest_age_seconds": 75.5,
            "attempts_per_second": 0, "rate_seconds": 300, "workers": workers, "hooks": [entry], "limited": []
        }))
        .expect("the form of zerodb.status()")
    }

    #[test]
    fn health_follows_the_last_five_minutes() {
        let health = |hook| super::health(&status(hook, json!([])).hooks[0]).1;
        assert_eq!(health(json!({})), "idle");
        assert_eq!(health(json!({"completed_5m": 3})), "ok");
        assert_eq!(
            health(json!({"completed_5m": 3, "failed_5m": 1})),
            "some failures"
        );
        assert_eq!(health(json!({"failed_5m": 1})), "failing");
        assert_eq!(health(json!({"retryable": 1})), "retrying");
        assert_eq!(health(json!({"is_active": false, "failed_5m": 1})), "inactive");
    }

    #[test]
    fn a_backlog_without_a_worker_stands_out() {
        let screen = Screen::stdout();
        let text = summary(
            &status(json!({}), json!([{"worker": "a", "alive": false}])),
            screen,
        );
        assert!(
            text.contains("1 event to dispatch, 2 deliveries waiting") && text.contains("1 min 15 s"),
            "{text}"
        );
        let mut more = status(json!({}), json!([]));
        more.limited = vec!["waiting_deliveries".into()];
        assert!(summary(&more, screen).contains("1 event to dispatch, 2 deliveries or more waiting"));
        assert!(
            text.contains("none alive, and there is work") && text.contains("1 whose lease has expired"),
            "{text}"
        );
    }
}
