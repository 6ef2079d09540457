//! `zerodb-hooks test` and `preview`: one event through the handler of one hook, done or only rendered. What is done
//! is the business of `zerodb_hooks_trial`; here it is asked for and told. Neither leaves a delivery.

mod text;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, builder::BoolishValueParser};
use serde_json::json;

use super::args::Database;
use super::failure::{self, CommandFailure};
use super::named_hook::named_hook;
use super::render::{self, Screen};
use zerodb_hooks_queries::NamedHook;
use zerodb_hooks_trial::{Means, Report, Subject, Trial, TrialError};

/// This program, also after another version has taken its place on disk.
const THIS_PROGRAM: &str = "/proc/self/exe";
/// The begin of an event's id.
const EVENT_ID: &str = "evt_";
/// The largest file of data that is read.
const MOST_BYTES: u64 = 16 << 20;

/// Options of `zerodb-hooks test` and `preview`.
#[derive(Args, Clone)]
pub struct TrialArgs {
    /// The database where the hook is, as the worker's role
    #[command(flatten)]
    pub database: Database,

    /// The hook: its id or its name
    #[arg(value_name = "ID|NAME")]
    pub hook: String,

    /// The event: the id of one of the log (evt_…), its data as a JSON object, or @FILE with them [default: a sample,
    /// made of the fields of the event type]
    #[arg(long, value_name = "ID|JSON|@FILE")]
    pub event: Option<String>,

    /// The type of an event that is not of the log [default: the hook's own, or the first that its pattern covers]
    #[arg(long, value_name = "TYPE")]
    pub event_type: Option<String>,

    /// The worker's file (YAML): where requests and secrets may go
    #[arg(long, value_name = "FILE", env = "ZERODB_HOOKS_CONFIG")]
    pub config: Option<PathBuf>,

    /// Refuse webhooks that are not https, as a worker with this option [values of the variable: true, false; default:
    /// false]
    #[arg(long, env = "ZERODB_HOOKS_PRODUCTION", value_parser = BoolishValueParser::new())]
    pub production: bool,

    /// Let webhooks go to addresses of this machine and of private networks, as a worker with this option [values of
    /// the variable: true, false; default: false]
    #[arg(long, env = "ZERODB_HOOKS_ALLOW_PRIVATE_ADDRESSES", value_parser = BoolishValueParser::new())]
    pub allow_private_addresses: bool,

    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// Does it, shows what came of it, and fails where a delivery would.
pub(super) async fn test(args: TrialArgs) -> anyhow::Result<ExitCode> {
    let (hook, trial) = open(&args, "test").await?;
    let report = trial.run().await.map_err(|error| told(error, &hook))?;
    render::line(&match args.json {
        true => document(&hook, &trial, &report),
        false => text::report(&hook, &trial, &report, Screen::stdout()),
    })?;
    Ok(match report.error {
        None => ExitCode::SUCCESS,
        Some(_) => ExitCode::FAILURE,
    })
}

/// Shows what would be done.
pub(super) async fn preview(args: TrialArgs) -> anyhow::Result<ExitCode> {
    let (hook, trial) = open(&args, "preview").await?;
    let action = trial.preview().await.map_err(|error| told(error, &hook))?;
    render::line(&match args.json {
        true => {
            let mut object = about(&hook, &trial);
            object["action"] = json!(action);
            object.to_string()
        }
        false => text::preview(&hook, &trial, &action, Screen::stdout()),
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn open(args: &TrialArgs, command: &str) -> anyhow::Result<(NamedHook, Trial)> {
    let subject = subject(args)?;
    let client = args.database.client(command).await?;
    let hook = named_hook(&client, &args.hook).await?;
    let means = Means {
        database_url: args.database.url()?.to_owned(),
        config: args.config.clone(),
        production: args.production,
        allow_private_addresses: args.allow_private_addresses,
        program: THIS_PROGRAM.into(),
    };
    let trial = Trial::new(&means, hook.id, &hook.event_type, &subject).await;
    let trial = trial.map_err(|error| told(error, &hook))?;
    Ok((hook, trial))
}

fn subject(args: &TrialArgs) -> Result<Subject, CommandFailure> {
    let event_type = args.event_type.clone();
    let Some(event) = &args.event else {
        return Ok(Subject::Sample { event_type });
    };
    if event.starts_with(EVENT_ID) {
        return match event_type {
            None => Ok(Subject::Past(event.clone())),
            Some(_) => Err(CommandFailure::usage(
                "an event of the log has its own type",
                "leave --event-type out",
            )),
        };
    }
    let text = match event.strip_prefix('@') {
        Some(file) => read(file)?,
        None => event.clone(),
    };
    Ok(Subject::Data { event_type, text })
}

fn read(file: &str) -> Result<String, CommandFailure> {
    let cannot = |why: String| {
        let hint = "name a file with the data of an event as a JSON object: --event @event.json";
        CommandFailure::usage(format!("{file} cannot be read: {why}"), hint)
    };
    let size = std::fs::metadata(file)
        .map_err(|error| cannot(error.to_string()))?
        .len();
    if size > MOST_BYTES {
        return Err(cannot(format!("it has more than {} MiB", MOST_BYTES >> 20)));
    }
    std::fs::read_to_string(file).map_err(|error| cannot(error.to_string()))
}

/// What keeps a trial from being made: of the database or the role in the words of the other commands.
fn told(error: TrialError, hook: &NamedHook) -> anyhow::Error {
    let hint = error.hint();
    match error {
        TrialError::Store(error) => failure::of_store(&error).into(),
        TrialError::NoHook => super::named_hook::no_hook(&hook.hook_name).into(),
        error @ (TrialError::Data(_) | TrialError::NoObject) => {
            CommandFailure::usage(error.to_string(), hint).into()
        }
        error => CommandFailure::new(error.to_string(), hint).into(),
    }
}

fn about(hook: &NamedHook, trial: &Trial) -> serde_json::Value {
    json!({
        "hook": hook,
        "event": { "id": trial.event_id(), "event": trial.event_type(), "is": trial.about },
    })
}

fn document(hook: &NamedHook, trial: &Trial, report: &Report) -> String {
    let mut object = about(hook, trial);
    let Report {
        action,
        answer,
        times,
        error,
        is_tried_again,
    } = report;
    object["action"] = json!(action);
    object["answer"] = json!(answer);
    object["times"] = json!(times);
    object["error"] = json!(error);
    object["is_tried_again"] = json!(is_tried_again);
    object["succeeded"] = json!(error.is_none());
    object.to_string()
}
