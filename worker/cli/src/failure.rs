//! How an error reads: one line that says what happened, one hint that says what to do. Decides the exit code. The
//! only place that prints an error; a password of the URL must never be in it.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use super::render;
use zerodb_hooks_measure::BenchRefusal;
use zerodb_hooks_queries::{ConnectError, Explanation, NoConnection, SqlState};
use zerodb_hooks_store::StoreError;

/// An error that knows how to mend itself.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct CommandFailure {
    /// What happened, to what.
    pub message: String,
    /// What to do; may be empty.
    pub hint: String,
    exit_code: u8,
}

impl CommandFailure {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
            exit_code: 1,
        }
    }

    /// The command line itself is wrong: exit code 2, as clap's own errors.
    pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            exit_code: 2,
            ..Self::new(message, hint)
        }
    }
}

/// Prints an error that ended a command and says with which code to exit.
pub fn report(error: &anyhow::Error) -> ExitCode {
    // `zerodb-hooks tail | head` ends like this; it is no failure.
    let closed = |cause: &(dyn Error + 'static)| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(closed) {
        return ExitCode::SUCCESS;
    }
    let failure = of_chain(error);
    eprintln!("error: {}", render::clean(&failure.message));
    if !failure.hint.is_empty() {
        eprintln!("hint:  {}", render::clean(&failure.hint));
    }
    ExitCode::from(failure.exit_code)
}

/// Prints several errors, each of which says what to do, and says with which code to exit.
pub(super) fn list(errors: impl Iterator<Item = String>) -> ExitCode {
    for error in errors {
        eprintln!("error: {}", render::clean(&error));
    }
    ExitCode::FAILURE
}

/// The first cause that knows what to say, or the error of a statement.
fn of_chain(error: &anyhow::Error) -> CommandFailure {
    let known = error.chain().find_map(|cause| {
        let failure = cause.downcast_ref::<CommandFailure>().cloned();
        failure
            .or_else(|| cause.downcast_ref().map(connecting))
            .or_else(|| cause.downcast_ref().map(of_bench))
    });
    known.unwrap_or_else(|| explain(error.as_ref()))
}

fn of_bench(BenchRefusal { message, hint }: &BenchRefusal) -> CommandFailure {
    CommandFailure::new(message, hint)
}

/// An error of a statement, in the server's words, with the server's hint or the one for its code.
pub(super) fn explain(error: &(dyn Error + 'static)) -> CommandFailure {
    let explanation = zerodb_hooks_queries::explain(error);
    let hint = match &explanation {
        Explanation::ConnectionLost => "check the server, then start the command again",
        Explanation::Refused { hint: Some(hint), .. } => hint,
        Explanation::Refused { sqlstate, .. } => statement_hint(sqlstate),
        Explanation::Other { .. } => "",
    };
    CommandFailure::new(explanation.message(), hint)
}

fn statement_hint(code: &SqlState) -> &'static str {
    match code {
        code if *code == SqlState::INVALID_SCHEMA_NAME
            || *code == SqlState::UNDEFINED_TABLE
            || *code == SqlState::UNDEFINED_FUNCTION =>
        {
            "`CREATE EXTENSION zerodb_hooks` in this database, or name another; `zerodb-hooks doctor` tells more"
        }
        code if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
            "an administrator gives access: SELECT zerodb.grant_worker('role') or zerodb.grant_admin('role')"
        }
        _ => "",
    }
}

/// Why there is no connection, for the person who has to mend it.
pub(super) fn connecting(error: &ConnectError) -> CommandFailure {
    let (reason, hint) = match &error.cause {
        NoConnection::Settings(error) => return explain(error),
        NoConnection::Store(error @ StoreError::Config { .. }) => {
            let hint = "its form is postgres://user@host:5432/database; encode special characters of a password as %XX";
            return CommandFailure::usage(error.to_string(), hint);
        }
        NoConnection::Store(error) => refusal(error),
        NoConnection::Silent(_) => (error.cause.to_string(), "check the address and the firewall"),
    };
    let reason = reason
        .strip_prefix("error connecting to server: ")
        .unwrap_or(&reason);
    CommandFailure::new(format!("cannot connect to {}: {reason}", error.target), hint)
}

/// An error of the store, of a command that works as a worker does.
pub(super) fn of_store(error: &StoreError) -> CommandFailure {
    let (message, hint) = refusal(error);
    let hint = match error {
        StoreError::Forbidden { .. } => {
            "this command works as the worker does, as its role: SELECT zerodb.grant_worker('role')"
        }
        _ => hint,
    };
    CommandFailure::new(message, hint)
}

/// What was in the way, and what to do.
fn refusal(error: &StoreError) -> (String, &'static str) {
    match error {
        StoreError::Unavailable { reason } | StoreError::Full { reason } => {
            (reason.clone(), absence_hint(reason))
        }
        StoreError::Forbidden { reason } => (reason.clone(), "GRANT CONNECT ON DATABASE … TO the role"),
        StoreError::Database { sqlstate, .. } => {
            (error.to_string(), refusal_hint(&SqlState::from_code(sqlstate)))
        }
        other => (other.to_string(), ""),
    }
}

/// The driver has no typed form for most of these; nothing but the hint depends on the text.
const ABSENCES: &[(&str, &str)] = &[
    (
        "refused",
        "nothing listens there: start Postgres, or correct host and port",
    ),
    (
        "No such file",
        "there is no such socket: start Postgres, or correct the folder and the port",
    ),
    (
        "Permission denied",
        "this user may not open the socket; connect over TCP instead",
    ),
    (
        "timed out",
        "the host does not answer: check the address and the firewall",
    ),
    (
        "lookup",
        "the host name is unknown: correct it, or check the name service",
    ),
    (
        "password missing",
        "the server asks for a password: put it into the URL",
    ),
    (
        "startup parameter",
        "a pooler refuses the settings of the session (PgBouncer: ignore_startup_parameters = options)",
    ),
    ("too many", "close other connections, or raise max_connections"),
    ("starting up", "try again in a moment"),
    (
        "server does not support TLS",
        "leave sslmode=require out of the URL, or switch ssl on in the server",
    ),
    (
        "certificate",
        "the server's certificate is not trusted here; sslmode=require does not ask for trust",
    ),
];

fn absence_hint(reason: &str) -> &'static str {
    let known = ABSENCES.iter().find(|(text, _)| reason.contains(text));
    known.map_or("check the URL, the server and the network", |(_, hint)| hint)
}

fn refusal_hint(code: &SqlState) -> &'static str {
    match code {
        code if *code == SqlState::INVALID_CATALOG_NAME => {
            "create the database, or correct its name in the URL"
        }
        code if *code == SqlState::INVALID_PASSWORD => "correct user and password in the URL",
        code if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "the role does not exist, or pg_hba.conf has no line that lets it in from here; \
             where the server wants TLS, add ?sslmode=require to the URL"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connecting(cause: StoreError) -> CommandFailure {
        super::connecting(&ConnectError {
            target: "localhost:5432, database app, user me".into(),
            cause: cause.into(),
        })
    }

    #[test]
    fn a_refused_connection_is_explained() {
        let reason = "error connecting to server: Connection refused (os error 111)".into();
        let failure = connecting(StoreError::Unavailable { reason });
        assert!(failure.hint.contains("start Postgres"));
        assert_eq!(
            failure.message,
            "cannot connect to localhost:5432, database app, user me: Connection refused (os error 111)"
        );
    }

    #[test]
    fn a_wrong_password_is_known_by_its_code() {
        let answer = StoreError::Database {
            sqlstate: "28P01".into(),
            message: "no".into(),
        };
        assert!(connecting(answer).hint.contains("password"));
    }

    #[test]
    fn a_bad_url_is_wrong_usage() {
        let failure = connecting(StoreError::Config {
            reason: "invalid port".into(),
        });
        assert_eq!(failure.exit_code, 2);
    }
}
