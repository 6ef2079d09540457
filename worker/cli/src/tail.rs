//! `zerodb-hooks tail`: follows the ledger of attempts. Shows who, what and how it ended, never a payload.
//!
//! The ledger (attempts, and completions with theirs) only grows, so what is new lies behind the end that was seen last:
//! each look reads the last blocks of each partition by position, which costs the same whatever the ledger's size, and no index.

use std::collections::HashSet;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, value_parser};
use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio_postgres::{Client, Error, Row, Statement};
use uuid::Uuid;

use super::args::Database;
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::render::{self, Screen, Tone};
use super::statements;

const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Workers write at the same time into different blocks near the end, and commit in any order.
const OVERLAP_BLOCKS: i64 = 128;
/// The same of completions, of which one row has many attempts.
const OVERLAP_COMPLETIONS: i64 = 8;

/// Options of `zerodb-hooks tail`.
#[derive(Args, Clone)]
pub struct TailArgs {
    /// The database to follow.
    #[command(flatten)]
    pub database: Database,

    /// Only attempts of this hook: its id or its name
    #[arg(long, value_name = "ID|NAME")]
    pub hook: Option<String>,

    /// Start with the attempts since then: an age such as 10m or 2h, or a time such as 2026-05-01T12:00:00Z [default: now]
    #[arg(long, value_name = "AGE|TIME", value_parser = parse_since)]
    pub since: Option<Timestamp>,

    /// End after so many lines [default: follow until Ctrl-C]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    pub limit: Option<u64>,

    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

struct Attempt {
    delivery_id: i64,
    attempt: i32,
    ended_at: Timestamp,
    outcome: String,
    duration_ms: i32,
    status: Option<i32>,
    error: Option<String>,
    worker: String,
    hook_id: Option<Uuid>,
    hook_name: Option<String>,
    event_type: Option<String>,
    event_id: Option<String>,
}

/// What tells one attempt from all others; a delivery that is redelivered counts its attempts from one again.
type Key = (i64, i32, Timestamp);

/// Follows the ledger until Ctrl-C, SIGTERM or the limit.
pub(super) async fn run(args: TailArgs) -> anyhow::Result<ExitCode> {
    let client = args.database.client("tail").await?;
    let screen = Screen::stdout();
    let mut interrupt = Interrupt::new()?;
    let mut ledger = Ledger::open(&client, args.hook.clone(), args.since).await?;
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut left = args.limit;
    loop {
        tokio::select! {
            () = interrupt.wait() => return Ok(ExitCode::SUCCESS),
            _ = tick.tick() => {}
        }
        for attempt in ledger.look(&client).await? {
            render::line(&if args.json {
                attempt.json()
            } else {
                attempt.line(screen)
            })?;
            left = left.map(|left| left - 1);
            if left == Some(0) {
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
}

/// A place in the ledger: the blocks of each partition when it was last looked at, and what was read behind them.
struct Ledger {
    attempts: Statement,
    completions: Statement,
    hook: Option<String>,
    since: Option<Timestamp>,
    ends: Vec<End>,
    seen: HashSet<Key>,
}

impl Ledger {
    /// At its end, or at its beginning when older attempts are wanted. An unknown hook is an error: it would be silent.
    async fn open(client: &Client, hook: Option<String>, since: Option<Timestamp>) -> anyhow::Result<Self> {
        if let Some(hook) = &hook {
            let known: bool = client
                .query_one(statements::HOOK_EXISTS, &[hook])
                .await?
                .try_get(0)?;
            if !known {
                let hint = "`zerodb-hooks hooks` shows the ids and names";
                return Err(Failure::new(format!("there is no hook {hook:?}"), hint).into());
            }
        }
        let mut ends = ends(client).await?;
        if since.is_some() {
            ends.iter_mut().for_each(|end| end.blocks = 0);
        }
        let mut ledger = Self {
            attempts: client.prepare(statements::TAIL_ATTEMPTS).await?,
            completions: client.prepare(statements::TAIL_COMPLETIONS).await?,
            hook,
            since,
            ends,
            seen: HashSet::new(),
        };
        if since.is_none() {
            ledger.look(client).await?;
        }
        Ok(ledger)
    }

    /// The attempts that were not there at the last look, in the order of their ends.
    async fn look(&mut self, client: &Client) -> Result<Vec<Attempt>, Error> {
        // The end is taken before reading: what comes in between is read twice and dropped by its key.
        let ends = ends(client).await?;
        let reads = self.ends.iter().zip(&ends).map(|(before, now)| {
            let (statement, overlap) = match now.completions {
                true => (&self.completions, OVERLAP_COMPLETIONS),
                false => (&self.attempts, OVERLAP_BLOCKS),
            };
            // A partition that shrank was emptied by retention.
            let start = match now.blocks < before.blocks {
                true => 0,
                false => (before.blocks - overlap).max(0),
            };
            let (since, hook) = (&self.since, &self.hook);
            async move {
                client
                    .query(statement, &[&now.slot, &format!("({start},0)"), since, hook])
                    .await
            }
        });
        let rows = try_join_all(reads).await?;
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        for row in rows.iter().flatten() {
            let key = (
                row.try_get("delivery_id")?,
                row.try_get("attempt")?,
                row.try_get("started_at")?,
            );
            if !self.seen.contains(&key) {
                found.push(Attempt::from_row(row)?);
            }
            seen.insert(key);
        }
        (self.seen, self.ends) = (seen, ends);
        found.sort_by_key(|attempt| (attempt.ended_at, attempt.delivery_id));
        Ok(found)
    }
}

/// The end of one partition.
struct End {
    /// Of `zerodb.completion`, else of `zerodb.attempt`.
    completions: bool,
    slot: i16,
    blocks: i64,
}

async fn ends(client: &Client) -> Result<Vec<End>, Error> {
    let rows = client.query(statements::TAIL_ENDS, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(End {
                completions: row.try_get::<_, &str>("kept_in")? == "completion",
                slot: row.try_get("slot")?,
                blocks: row.try_get("blocks")?,
            })
        })
        .collect()
}

impl Attempt {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            delivery_id: row.try_get("delivery_id")?,
            attempt: row.try_get("attempt")?,
            ended_at: row.try_get("ended_at")?,
            outcome: row.try_get("outcome")?,
            duration_ms: row.try_get("duration_ms")?,
            status: row.try_get("status")?,
            error: row.try_get("error")?,
            worker: row.try_get("worker")?,
            hook_id: row.try_get("hook_id")?,
            hook_name: row.try_get("hook_name")?,
            event_type: row.try_get("event_type")?,
            event_id: row.try_get("event_id")?,
        })
    }

    fn json(&self) -> String {
        json!({
            "time": self.ended_at, "event": self.event_type, "event_id": self.event_id, "delivery_id": self.delivery_id,
            "hook_id": self.hook_id, "hook_name": self.hook_name, "outcome": self.outcome, "attempt": self.attempt,
            "duration_ms": self.duration_ms, "status": self.status, "error": self.error, "worker": self.worker
        })
        .to_string()
    }

    fn line(&self, screen: Screen) -> String {
        let tone = match self.outcome.as_str() {
            "completed" => Tone::Good,
            "failed" => Tone::Warning,
            _ => Tone::Bad,
        };
        // A deleted hook and an event that has left the log have no name any more.
        let known = |name: &Option<String>| name.as_deref().map_or_else(|| "-".into(), render::clean);
        let mut line = format!(
            "{} {} {} {} {} attempt {} in {}",
            screen.paint(Tone::Faint, &render::clock(self.ended_at)),
            screen.paint(tone, &format!("{:<9}", self.outcome)),
            known(&self.event_type),
            screen.paint(Tone::Faint, &known(&self.event_id)),
            known(&self.hook_name),
            self.attempt,
            render::duration(self.duration_ms),
        );
        if let Some(status) = self.status {
            line.push_str(&format!(" status {status}"));
        }
        if let Some(error) = &self.error {
            line.push_str(&format!(
                " {}",
                screen.paint(tone, &render::clip(&render::clean(error), 300))
            ));
        }
        line
    }
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
