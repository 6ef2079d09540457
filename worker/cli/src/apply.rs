//! `zerodb-hooks apply`, `export` and `schema`: hooks in files. What is done in the database is the business of
//! `zerodb_hooks_hook_file`; here it is told.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use uuid::Uuid;

use super::args::Database;
use super::failure::{self, CommandFailure};
use super::render::{self, Screen, Tone};
use zerodb_hooks_contract::schema;
use zerodb_hooks_hook_file::{Action, Applied, ApplyError, Change, HookFile, Wish};
use zerodb_hooks_providers::Config;
use zerodb_hooks_queries::{Notice, Notices};

/// Options of `zerodb-hooks apply`.
#[derive(Args, Clone)]
pub struct ApplyArgs {
    /// The database whose hooks they are; the hooks belong to the role of the URL.
    #[command(flatten)]
    pub database: Database,

    /// The file (YAML) with the block `hooks:`; that of the worker will do
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Delete hooks that this file has made and no longer has
    #[arg(long)]
    pub prune: bool,

    /// Take over hooks of the same names that this file has not made
    #[arg(long)]
    pub adopt: bool,

    /// The name by which hooks remember the file [default: its name without the folder]
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,

    /// The user whose hooks they are [default: zerodb.user_id, or every user for an administrator]
    #[arg(long, value_name = "UUID")]
    pub user: Option<Uuid>,

    /// Print one JSON document: {"changes": [...], "unchanged": n, "notices": [...]}
    #[arg(long)]
    pub json: bool,
}

/// Options of `zerodb-hooks export`.
#[derive(Args, Clone)]
pub struct ExportArgs {
    /// The database whose hooks they are
    #[command(flatten)]
    pub database: Database,

    /// The user whose hooks they are [default: zerodb.user_id, or every user for an administrator]
    #[arg(long, value_name = "UUID")]
    pub user: Option<Uuid>,
}

/// Applies a file; all that is wrong with it is told at once, and then nothing is changed.
pub(super) async fn run(args: ApplyArgs) -> anyhow::Result<ExitCode> {
    let name = args.file.display().to_string();
    let bytes = std::fs::read(&args.file).map_err(|error| {
        CommandFailure::usage(
            format!("{name} cannot be read: {error}"),
            "name a file with `hooks:`",
        )
    })?;
    let file = HookFile::parse_whole(&name, &bytes);
    // A worker's file is read as the worker reads it, but for the secrets, which only the worker has.
    if file.mistakes.is_empty() {
        Config::check_form(&name, &String::from_utf8_lossy(&bytes))
            .map_err(|error| CommandFailure::new(error.to_string(), ""))?;
    }
    let source = args.source.unwrap_or_else(|| source_of(&args.file));
    let wish = Wish {
        source: &source,
        user: args.user,
        prune: args.prune,
        adopt: args.adopt,
        dry_run: args.dry_run,
    };
    let (mut client, notices) = match args.database.client_and_notices("apply").await {
        Ok(connected) => connected,
        // What is wrong with the file is true without a database too.
        Err(failure) => {
            return file.mistakes().map_or(Err(failure.into()), |mistakes| {
                Ok(failure::list(mistakes.lines()))
            });
        }
    };
    match zerodb_hooks_hook_file::apply(&mut client, &file, &wish).await {
        Ok(applied) if args.json => {
            let mut object = json!(applied);
            object["notices"] = notices.take().iter().map(document).collect();
            render::line(&object.to_string())?;
        }
        Ok(applied) => {
            render::line(&told(&applied, args.dry_run, Screen::stdout()))?;
            hear(&notices);
        }
        Err(ApplyError::Mistakes(mistakes)) => {
            hear(&notices);
            return Ok(failure::list(mistakes.lines()));
        }
        Err(ApplyError::Query(error)) => return Err(error.into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what the server says of hooks that it takes nevertheless, such as one of a superuser.
fn hear(notices: &Notices) {
    for Notice {
        severity,
        message,
        hint,
    } in notices.take()
    {
        eprintln!("{}: {}", severity.to_lowercase(), render::clean(&message));
        if let Some(hint) = hint {
            eprintln!("hint:  {}", render::clean(&hint));
        }
    }
}

fn document(notice: &Notice) -> Value {
    json!({ "severity": notice.severity, "message": notice.message, "hint": notice.hint })
}

/// The name by which hooks remember a file: its own, so that it is the same on every machine.
pub fn source_of(file: &std::path::Path) -> String {
    let name = file.file_name().unwrap_or(file.as_os_str());
    name.to_string_lossy().into_owned()
}

/// Prints the hooks as a file.
pub(super) async fn export(args: ExportArgs) -> anyhow::Result<ExitCode> {
    let mut client = args.database.client("export").await?;
    let text = zerodb_hooks_hook_file::export(&mut client, args.user).await?;
    render::line(text.trim_end_matches('\n'))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the JSON Schema of such files.
pub(super) fn schema() -> anyhow::Result<ExitCode> {
    render::line(&serde_json::to_string_pretty(&schema::document())?)?;
    Ok(ExitCode::SUCCESS)
}

fn told(applied: &Applied, dry_run: bool, screen: Screen) -> String {
    let mut lines: Vec<String> = Vec::new();
    for change in &applied.changes {
        let (sign, tone) = sign(change.action);
        let Change {
            event_type,
            hook_type,
            hook_name,
            ..
        } = change;
        let project = change
            .project_id
            .map_or_else(String::new, |id| format!(" of project {id}"));
        let note = match change.action {
            Action::Leave => ": no longer in the file; --prune deletes it",
            Action::Replace => ": of another type, made anew",
            _ => "",
        };
        let line = format!("{sign} {event_type} {hook_name} ({hook_type}){project}{note}");
        lines.push(screen.paint(tone, &render::clean(&line)));
        lines.extend(
            change
                .details
                .iter()
                .map(|detail| render::clean(&format!("    {detail}"))),
        );
    }
    let count = |action| {
        applied
            .changes
            .iter()
            .filter(|change| change.action == action)
            .count()
    };
    let would = if dry_run { "would be " } else { "" };
    lines.push(format!(
        "{} {would}created, {} changed, {} deleted, {} as they are",
        count(Action::Create),
        count(Action::Update) + count(Action::Replace),
        count(Action::Delete),
        applied.unchanged
    ));
    lines.join("\n")
}

fn sign(action: Action) -> (char, Tone) {
    match action {
        Action::Create => ('+', Tone::Good),
        Action::Update | Action::Replace => ('~', Tone::Warning),
        Action::Delete => ('-', Tone::Bad),
        Action::Leave => ('=', Tone::Faint),
    }
}
