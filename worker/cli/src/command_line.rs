//! What may be typed: the commands and their help. Each command's options are beside what it does.

use clap::{Parser, Subcommand};

use super::apply::{ApplyArgs, ExportArgs};
use super::args::{ChildArgs, WorkerArgs};
use super::backfills::BackfillsArgs;
use super::bench::BenchArgs;
use super::doctor::DoctorArgs;
use super::hooks::HooksArgs;
use super::listen::ListenArgs;
use super::recall::RecallArgs;
use super::replay::ReplayArgs;
use super::signing::SecretArgs;
use super::status::StatusArgs;
use super::tail::TailArgs;
use super::top::TopArgs;
use super::trial::TrialArgs;

const LONG_ABOUT: &str = "\
Runs hooks when data changes in Postgres.

The extension zerodb_hooks records an event in the transaction of the write; this program runs the hooks that match, \
after the commit, at least once each. One `zerodb-hooks worker` beside the database is enough; several share the work. \
Hooks are managed in SQL (zerodb.create_hook, zerodb.update_hook, zerodb.delete_hook) or in files (apply).";

const EXAMPLES: &str = "\
Examples:
  export DATABASE_URL=postgres://worker@localhost/app

  zerodb-hooks doctor              is everything as it should be? says how to mend what is not
  zerodb-hooks worker              run the hooks until Ctrl-C or SIGTERM
  zerodb-hooks status --watch      backlog, workers and the health of each hook, every second
  zerodb-hooks tail --follow       attempts as they end; --events: and events as they are written
  zerodb-hooks top                 what goes on now, every second
  zerodb-hooks preview HOOK        what the hook would send for a sample event; --event evt_…: for this one
  zerodb-hooks test HOOK           send it once, now: the answer and how long it took
  zerodb-hooks replay HOOK --since 2h   how many events that would deliver again; --yes does it
  zerodb-hooks backfills --watch   how far backfills are
  zerodb-hooks recall 'who met Bob' search what the store holds
  zerodb-hooks hooks --json        all hooks, for a program
  zerodb-hooks apply hooks.yaml    make the hooks what the file says; --dry-run only shows it
  zerodb-hooks secret HOOK         the new signing secret of a hook, once; --user UUID: a user's
  zerodb-hooks bench               what hooks cost and how fast they run on this server

  A webhook on your own machine:
  zerodb-hooks listen --port 8090 & zerodb-hooks worker --allow-private-addresses
  ALTER SYSTEM SET zerodb.allow_private_addresses = on; SELECT pg_reload_conf();
  SELECT zerodb.create_hook('*', 'mine', '{\"url\": \"http://127.0.0.1:8090\"}',
      hook_type => 'webhook');                                   (in psql)

A flag wins over its environment variable. Exit codes: 0 done, 1 failed (or `doctor` found a failure), 2 wrong usage.
NO_COLOR switches colours off; there are none where the output is not a terminal.";

/// The command line of `zerodb-hooks`.
#[derive(Parser)]
#[command(
    name = "zerodb-hooks",
    version,
    about = "Runs hooks when data changes in Postgres",
    long_about = LONG_ABOUT,
    after_help = EXAMPLES,
    max_term_width = 110
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// One command and its options.
#[derive(Subcommand)]
pub enum Command {
    /// Run hooks: dispatch events, execute deliveries; SIGTERM drains and ends
    Worker(WorkerArgs),
    /// Show the backlog, the workers and the health of each hook
    Status(StatusArgs),
    /// List hooks, the inactive ones too; secrets are never shown
    Hooks(HooksArgs),
    /// Make the hooks what a file says; all its mistakes are told at once, with their lines
    Apply(ApplyArgs),
    /// Print the hooks as such a file
    Export(ExportArgs),
    /// Print the JSON Schema of such files, for editors
    Schema,
    /// Show the attempts of the last minutes, one line each, and with --follow what ends from now on; payloads are
    /// never shown
    Tail(TailArgs),
    /// Show what goes on, every second: events written, attempts ended, what waits and runs, hooks with trouble
    Top(TopArgs),
    /// Run one hook once, now, for one event: shows what is sent, what is answered and how long it took; exits 1 where
    /// it failed; leaves no delivery
    Test(TrialArgs),
    /// Show what one hook would do for one event, and do nothing
    Preview(TrialArgs),
    /// Deliver the events of a time range to one hook again; only counts them until --yes is given
    Replay(ReplayArgs),
    /// Show how far backfills are, with --watch as bars until all are done
    Backfills(BackfillsArgs),
    /// Search the store: the query is embedded as the worker embeds rows
    Recall(RecallArgs),
    /// Check the connection, the server, the extension, hooks and watches; exits 1 when something FAILED
    Doctor(DoctorArgs),
    /// Receive webhooks on this machine, verify their signatures and print them
    Listen(ListenArgs),
    /// Print what a receiver verifies webhooks with: of one hook, once, or of one user
    Secret(SecretArgs),
    /// Measure this server: what a hook costs writers, latency, deliveries a second; in a schema of its own, removed
    /// after
    Bench(BenchArgs),
    /// Read one file from stdin within limits and write its text; the worker starts it, `main` runs it
    #[command(hide = true)]
    Parse(ChildArgs),
    /// Render templates from stdin within limits; the worker starts it, `main` runs it
    #[command(hide = true)]
    Render(ChildArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_option_is_documented_and_no_environment_value_is_shown_for_the_database() {
        for command in Cli::command().get_subcommands() {
            for option in command.get_arguments() {
                assert!(
                    option.get_help().is_some(),
                    "{} {}",
                    command.get_name(),
                    option.get_id()
                );
            }
        }
        let help = Cli::command()
            .find_subcommand_mut("status")
            .map(|c| c.render_long_help().to_string());
        assert!(help.is_some_and(|help| help.contains("[env: DATABASE_URL]")));
    }

    #[test]
    fn the_worker_has_its_defaults() {
        let cli = Cli::parse_from(["zerodb-hooks", "worker", "--database-url", "postgres:///x"]);
        let Command::Worker(args) = cli.command else {
            panic!("not the worker")
        };
        assert_eq!(
            (
                args.in_flight,
                args.concurrency,
                args.poll_ms,
                args.lease_s,
                args.drain_s
            ),
            (4000, 64, 1000, 30, 20)
        );
        assert!(!args.production && args.log == "info");
    }
}
