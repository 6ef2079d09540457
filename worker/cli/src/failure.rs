//! How an error reads: one line that says what happened, one hint that says what to do. Decides the exit code. The
//! only place that prints an error; a password of the URL must never be in it.

use std::error::Error;
use std::io;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;

use super::render;
use zerodb_hooks_store::StoreError;

/// An error that knows how to mend itself.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What happened, to what.
    pub message: String,
    /// What to do; may be empty.
    pub hint: String,
    exit_code: u8,
}

impl Failure {
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
    let failure = match error.chain().find_map(|cause| cause.downcast_ref::<Failure>()) {
        Some(failure) => Failure {
            message: failure.message.clone(),
            hint: failure.hint.clone(),
            ..*failure
        },
        None => explain(error.as_ref()),
    };
    eprintln!("error: {}", render::clean(&failure.message));
    if !failure.hint.is_empty() {
        eprintln!("hint:  {}", render::clean(&failure.hint));
    }
    ExitCode::from(failure.exit_code)
}

/// An error of a statement, in the server's words, with the server's hint or the one for its code.
pub(super) fn explain(error: &(dyn Error + 'static)) -> Failure {
    let Some(database) = causes(error).find_map(|cause| cause.downcast_ref::<tokio_postgres::Error>()) else {
        return Failure::new(chain(error), "");
    };
    if database.is_closed() {
        return Failure::new(
            "the connection to the database was lost",
            "check the server, then start the command again",
        );
    }
    let Some(answer) = database.as_db_error() else {
        return Failure::new(chain(error), "");
    };
    let hint = match (answer.hint(), answer.code()) {
        (Some(hint), _) => hint.to_owned(),
        (None, code) if *code == SqlState::INVALID_SCHEMA_NAME || *code == SqlState::UNDEFINED_TABLE
            || *code == SqlState::UNDEFINED_FUNCTION =>
        {
            "`CREATE EXTENSION zerodb_hooks` in this database, or name another; `zerodb-hooks doctor` tells more".into()
        }
        (None, code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
            "an administrator gives access: SELECT zerodb.grant_worker('role') or zerodb.grant_admin('role')".into()
        }
        _ => String::new(),
    };
    Failure::new(answer.message(), hint)
}

/// Why there is no connection, for the person who has to mend it.
pub(super) fn connecting(error: StoreError, url: &str) -> Failure {
    let hint = match &error {
        StoreError::Database { sqlstate, .. } => refusal_hint(&SqlState::from_code(sqlstate)),
        StoreError::Forbidden { .. } => "GRANT CONNECT ON DATABASE … TO the role",
        StoreError::Unavailable { reason } | StoreError::Full { reason } => absence_hint(reason),
        StoreError::Config { .. } => {
            let hint = "its form is postgres://user@host:5432/database; encode special characters of a password as %XX";
            return Failure::usage(error.to_string(), hint);
        }
        StoreError::ReadOnly
        | StoreError::Locked { .. }
        | StoreError::SchemaMismatch { .. }
        | StoreError::Misfit { .. }
        | StoreError::Uncallable { .. }
        | StoreError::Answer { .. } => "",
    };
    let reason = match error {
        StoreError::Unavailable { reason }
        | StoreError::Full { reason }
        | StoreError::Forbidden { reason } => reason,
        other => other.to_string(),
    };
    let reason = reason
        .strip_prefix("error connecting to server: ")
        .unwrap_or(&reason);
    Failure::new(format!("cannot connect to {}: {reason}", target(url)), hint)
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

/// The server did not answer in time.
pub(super) fn no_answer(url: &str, after: Duration) -> Failure {
    let message = format!(
        "cannot connect to {}: no answer within {} s",
        target(url),
        after.as_secs()
    );
    Failure::new(message, "check the address and the firewall")
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

/// Host, port, database and user of a URL, without the password.
fn target(url: &str) -> String {
    // As `store::connect` reads it: libpq's verify-ca and verify-full are unknown to the driver.
    let url = url
        .replace("sslmode=verify-full", "sslmode=require")
        .replace("sslmode=verify-ca", "sslmode=require");
    let Ok(config) = Config::from_str(&url) else {
        return "the database".into();
    };
    let hosts = config.get_hosts().iter().enumerate().map(|(at, host)| {
        let port = config
            .get_ports()
            .get(at)
            .or(config.get_ports().first())
            .copied()
            .unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            #[cfg(unix)]
            Host::Unix(folder) => format!("{}/.s.PGSQL.{port}", folder.display()),
        }
    });
    let mut text = hosts.collect::<Vec<_>>().join(" or ");
    if let Some(database) = config.get_dbname() {
        text = format!("{text}, database {database}");
    }
    if let Some(user) = config.get_user() {
        text = format!("{text}, user {user}");
    }
    text
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The chain of causes on one line, a text that repeats left out.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for text in causes(error).map(ToString::to_string) {
        if !texts.iter().any(|earlier| earlier.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_never_part_of_the_target() {
        let url = "postgres://me:hush@a,b:6000/app?sslmode=verify-full";
        assert_eq!(target(url), "a:5432 or b:6000, database app, user me");
    }

    #[test]
    fn a_refused_connection_is_explained() {
        let reason = "error connecting to server: Connection refused (os error 111)".into();
        let failure = connecting(
            StoreError::Unavailable { reason },
            "postgres://me:hush@localhost/app",
        );
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
        assert!(connecting(answer, "postgres://x").hint.contains("password"));
    }

    #[test]
    fn a_bad_url_is_wrong_usage() {
        let failure = connecting(
            StoreError::Config {
                reason: "invalid port".into(),
            },
            "postgres://me:hush@host:x/app",
        );
        assert_eq!(failure.exit_code, 2);
        assert!(!failure.message.contains("hush"));
    }
}
