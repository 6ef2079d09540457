//! `zerodb-hooks tail`: follows the ledger of attempts. Shows who, what and how it ended, never a payload.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, value_parser};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::args::Database;
use super::failure::CommandFailure;
use super::interrupt::Interrupt;
use super::render::{self, Screen, Tone};
use zerodb_hooks_queries::{AttemptRecord, Client, Ledger, hook_exists};

const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Options of `zerodb-hooks tail`.
#[derive(Args, Clone)]
pub struct TailArgs {
    /// The database to follow.
    #[command(flatten)]
    pub database: Database,

    /// Only attempts of this hook: its id or its name
    #[arg(long, value_name = "ID|NAME")]
    pub hook: Option<String>,

    /// Start with the attempts since then: an age such as 10m or 2h, or a time such as 2026-05-01T12:00:00Z [default:
    /// now]
    #[arg(long, value_name = "AGE|TIME", value_parser = parse_since)]
    pub since: Option<Timestamp>,

    /// End after so many lines [default: follow until Ctrl-C]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    pub limit: Option<u64>,

    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// Follows the ledger until Ctrl-C, SIGTERM or the limit.
pub(super) async fn run(args: TailArgs) -> anyhow::Result<ExitCode> {
    let client = args.database.client("tail").await?;
    let screen = Screen::stdout();
    let mut interrupt = Interrupt::new()?;
    if let Some(hook) = &args.hook {
        known(&client, hook).await?;
    }
    let mut ledger = Ledger::open(&client, args.hook.clone(), args.since).await?;
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut left = args.limit;
    loop {
        // What is left of an older time is read without a pause.
        tokio::select! {
            biased;
            () = interrupt.wait() => return Ok(ExitCode::SUCCESS),
            () = std::future::ready(()), if ledger.is_behind() => {}
            _ = tick.tick() => {}
        }
        for attempt in ledger.look(&client).await? {
            render::line(&if args.json {
                document(&attempt)
            } else {
                line(&attempt, screen)
            })?;
            left = left.map(|left| left - 1);
            if left == Some(0) {
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
}

/// An unknown hook is an error: its ledger would be silent for ever.
async fn known(client: &Client, hook: &str) -> anyhow::Result<()> {
    if hook_exists(client, hook).await? {
        return Ok(());
    }
    let hint = "`zerodb-hooks hooks` shows the ids and names";
    Err(CommandFailure::new(format!("there is no hook {hook:?}"), hint).into())
}

fn document(attempt: &AttemptRecord) -> String {
    json!({
        "time": attempt.ended_at,
        "event": attempt.event_type,
        "event_id": attempt.event_id,
        "delivery_id": attempt.delivery_id,
        "hook_id": attempt.hook_id,
        "hook_name": attempt.hook_name,
        "outcome": attempt.outcome,
        "attempt": attempt.attempt,
        "duration_ms": attempt.duration_ms,
        "status": attempt.status,
        "error": attempt.error,
        "worker": attempt.worker,
    })
    .to_string()
}

fn line(attempt: &AttemptRecord, screen: Screen) -> String {
    let tone = match attempt.outcome.as_str() {
        "completed" => Tone::Good,
        "failed" => Tone::Warning,
        _ => Tone::Bad,
    };
    // A deleted hook and an event that has left the log have no name any more.
    let known = |name: &Option<String>| name.as_deref().map_or_else(|| "-".into(), render::clean);
    let mut line = format!(
        "{} {} {} {} {} attempt {} in {}",
        screen.paint(Tone::Faint, &render::clock(attempt.ended_at)),
        screen.paint(tone, &format!("{:<9}", attempt.outcome)),
        known(&attempt.event_type),
        screen.paint(Tone::Faint, &known(&attempt.event_id)),
        known(&attempt.hook_name),
        attempt.attempt,
        render::duration(attempt.duration_ms),
    );
    if let Some(status) = attempt.status {
        line.push_str(&format!(" status {status}"));
    }
    if let Some(error) = &attempt.error {
        line.push_str(&format!(
            " {}",
            screen.paint(tone, &render::clip(&render::clean(error), 300))
        ));
    }
    line
}

/// An age (10m, 2h, 1d) before now, or a point in time.
fn parse_since(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let hint = "give an age such as 30s, 10m, 2h or 1d, or a time such as 2026-05-01T12:00:00Z";
    let unit = text.chars().last().ok_or(hint)?;
    let number: i64 = text
        .strip_suffix(unit)
        .and_then(|number| number.trim().parse().ok())
        .ok_or(hint)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(hint.into()),
    };
    let age = number
        .checked_mul(seconds)
        .filter(|age| *age >= 0)
        .map(SignedDuration::from_secs)
        .ok_or(hint)?;
    Timestamp::now().checked_sub(age).map_err(|_| hint.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_an_age_or_a_time() {
        assert_eq!(
            parse_since("2026-05-01T12:00:00Z").map(|at| at.to_string()),
            Ok("2026-05-01T12:00:00Z".into())
        );
        let at = parse_since("2h").expect("an age");
        let age = Timestamp::now().duration_since(at);
        assert!((7200..7210).contains(&age.as_secs()));
        for wrong in ["", "h", "2", "2w", "-1h", "9223372036854775807d", "ü"] {
            assert!(parse_since(wrong).is_err(), "{wrong}");
        }
    }
}
