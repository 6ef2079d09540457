//! `zerodb-hooks doctor`: looks for everything that keeps hooks from running, and says how to mend it. Decides only
//! which checks are made and in which order; a check is a function of the files beside this one. Changes nothing.

mod connection;
mod definitions;
mod extension;
mod finding;
mod models;
mod secrets;
mod served;
mod server;
mod work;

use std::process::ExitCode;

use clap::Args;

use super::args::Database;
use super::failure::CommandFailure;
use super::models::ModelArgs;
use super::render::{self, Screen};
use finding::{Finding, Report, Verdict};
use zerodb_hooks_queries::Client;

/// Options of `zerodb-hooks doctor`.
#[derive(Args, Clone)]
pub struct DoctorArgs {
    /// The database to examine; use the worker's own URL, so that its role and its way there are checked.
    #[command(flatten)]
    pub database: Database,

    /// The models to try
    #[command(flatten)]
    pub models: ModelArgs,

    /// Print one JSON document: {"version", "result", "checks": [{"check", "result", "message", "remedy"}]}
    #[arg(long)]
    pub json: bool,
}

/// Makes all checks; exits with 1 when one FAILED.
pub(super) async fn run(args: DoctorArgs) -> anyhow::Result<ExitCode> {
    // A missing URL is wrong usage, not a finding.
    args.database.url()?;
    let mut report = Report::default();
    match args.database.client("doctor").await {
        Ok(client) => examine(&client, &args, &mut report).await,
        Err(CommandFailure { message, hint, .. }) => {
            report.add("connection", Ok(Finding::failed(message, hint)))
        }
    }
    render::line(&if args.json {
        report.json()
    } else {
        report.text(Screen::stdout())
    })?;
    Ok(if report.verdict() == Verdict::Failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

async fn examine(client: &Client, args: &DoctorArgs, report: &mut Report) {
    let database = &args.database;
    let mut in_recovery = false;
    match zerodb_hooks_queries::server(client).await {
        Ok(server) => {
            in_recovery = server.facts.in_recovery;
            report.add("connection", Ok(connection::connection(&server)));
            report.add("server version", Ok(connection::version(&server)));
            report.add("standby", Ok(connection::standby(&server)));
            report.add("clock", Ok(connection::clock(&server)));
        }
        Err(error) => report.add("connection", Err(error)),
    }
    match database.client("doctor").await {
        // A standby refuses LISTEN whatever is between us; that it is one is said already.
        Ok(_) if in_recovery => {}
        Ok(other) => {
            report.add("pooler", connection::pooler(client, &other).await);
            report.add(
                "prepared statements",
                connection::prepared_statements(client, &other).await,
            );
        }
        Err(CommandFailure { message, hint, .. }) => report.add("pooler", Ok(Finding::failed(message, hint))),
    }
    report.add("connections", server::connections(client).await);
    report.add("notification queue", server::notification_queue(client).await);
    report.add("old transactions", server::horizon(client).await);
    let installed = extension::installed(client).await;
    let exists = matches!(&installed, Ok((true, _)));
    report.add("extension", installed.map(|(_, finding)| finding));
    // Without the extension there is nothing to ask the rest of.
    if exists {
        examine_extension(client, args, report).await;
    }
}

async fn examine_extension(client: &Client, args: &DoctorArgs, report: &mut Report) {
    let privileges = extension::privileges(client).await;
    let usable = matches!(&privileges, Ok((true, _)));
    report.add("privileges", privileges.map(|(_, finding)| finding));
    if !usable {
        return;
    }
    report.add("library", extension::library(client).await);
    report.add("indexes", extension::indexes(client).await);
    report.add("zerodb.notify", extension::notify(client).await);
    report.add("workers", work::workers(client).await);
    report.add("deliveries", work::overdue(client).await);
    report.add("hooks", definitions::hooks(client).await);
    report.add("secrets", secrets::secrets(client, args).await);
    report.add("models", models::models(client, args).await);
    report.add("served models", served::served(client, args).await);
    report.add("watches", definitions::watches(client).await);
    report.add("missed writes", definitions::missed(client).await);
    report.add("mappings", definitions::mappings(client).await);
    report.add("triggers", definitions::triggers(client).await);
}
