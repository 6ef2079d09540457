//! `zerodb-hooks replay`: delivers the events of a time range to one hook again. It counts first, and does no more than
//! it was told to.

use std::process::ExitCode;

use clap::{Args, value_parser};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::args::Database;
use super::failure::CommandFailure;
use super::named_hook::named_hook;
use super::render;
use super::times::parse_time;
use zerodb_hooks_queries::{
    Client, NamedHook, QueryError, Range, act_for, count_replay, replay, took_too_long,
};

/// The time that reading the range may take; then it is too large for one go.
const PATIENCE: &str = "60s";

/// Options of `zerodb-hooks replay`.
#[derive(Args, Clone)]
pub struct ReplayArgs {
    /// The database whose events they are; as a role with zerodb.grant_user or zerodb.grant_admin
    #[command(flatten)]
    pub database: Database,

    /// The hook: its id or its name
    #[arg(value_name = "ID|NAME")]
    pub hook: String,

    /// Events since then: an age such as 10m or 2h, or a time such as 2026-05-01T12:00:00Z
    #[arg(long, value_name = "AGE|TIME", value_parser = parse_time)]
    pub since: Timestamp,

    /// Events until then [default: now]
    #[arg(long, value_name = "AGE|TIME", value_parser = parse_time)]
    pub until: Option<Timestamp>,

    /// Deliver them; without it they are only counted
    #[arg(long)]
    pub yes: bool,

    /// Deliver nothing where they are more than this
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(i64).range(1..=1_000_000))]
    pub most: i64,

    /// The user that the role acts for [default: zerodb.user_id, or every user for an administrator]
    #[arg(long, value_name = "UUID")]
    pub user: Option<Uuid>,

    /// Print one JSON document: {"hook_id": …, "events": n, "replayed": false, …}
    #[arg(long)]
    pub json: bool,
}

/// Counts, and with `--yes` delivers.
pub(super) async fn run(args: ReplayArgs) -> anyhow::Result<ExitCode> {
    let mut client = args.database.client("replay").await?;
    let now = act_for(&client, args.user, PATIENCE).await?;
    // Until what is counted now, so that what comes meanwhile is not delivered a second time.
    let until = args.until.unwrap_or(now);
    if args.since > until {
        let hint = "give a --since that is before --until, and before the server's time";
        return Err(CommandFailure::usage("the range ends before it begins", hint).into());
    }
    let hook = named_hook(&client, &args.hook).await?;
    let range = Range {
        hook: hook.id,
        since: args.since,
        until,
    };
    let events = count_replay(&client, range).await.map_err(told)?;
    if args.yes && events > args.most {
        return Err(too_many(events, args.most).into());
    }
    if args.yes && events > 0 {
        deliver(&mut client, range, args.most).await?;
    }
    let replayed = args.yes && events > 0;
    render::line(&match args.json {
        true => json!({
            "hook_id": hook.id, "hook_name": hook.hook_name, "since": range.since, "until": until, "events": events,
            "replayed": replayed,
        })
        .to_string(),
        false => text(&hook, range, events, args.yes),
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn deliver(client: &mut Client, range: Range, most: i64) -> anyhow::Result<()> {
    match replay(client, range, most).await.map_err(told)? {
        Ok(_) => Ok(()),
        Err(events) => Err(too_many(events, most).into()),
    }
}

fn too_many(events: i64, most: i64) -> CommandFailure {
    CommandFailure::new(
        format!("{events} events match, and at most {most} are delivered: nothing was"),
        format!("narrow --since and --until, or raise the bound: --most {events}"),
    )
}

fn told(error: QueryError) -> anyhow::Error {
    if took_too_long(&error) {
        let hint = "narrow --since and --until, and replay one part after the other";
        return CommandFailure::new(format!("reading the range took longer than {PATIENCE}"), hint).into();
    }
    error.into()
}

fn text(hook: &NamedHook, range: Range, events: i64, delivered: bool) -> String {
    let name = render::clean(&hook.hook_name);
    let counted = render::count(events, "event", "events");
    let span = format!("from {} to {}", range.since, range.until);
    let inactive = match hook.is_active {
        true => "",
        false => "; the hook is not active, so they wait until it is",
    };
    match (events, delivered) {
        (0, _) => format!("no event {span} matches {name}"),
        (_, true) => format!("{counted} {span} are delivered to {name} again{inactive}"),
        (_, false) => format!(
            "{counted} {span} would be delivered to {name} again{inactive}; nothing was done: --yes does it"
        ),
    }
}
