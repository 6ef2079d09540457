//! Errors of the database, by SQLSTATE. Callers branch on the variant, never on a text.

use std::time::Duration;

use deadpool_postgres::{HookError, PoolError};
use tokio_postgres::error::{DbError, Severity, SqlState};
use tokio_postgres::types::{WasNull, WrongType};

/// The routine by which the extension marks that it has not come to a hook's function.
const CALL: &str = "zerodb_call_hook_function";

/// The begin of the detail by which the extension says that a hook and a table do not fit.
const MISFIT: &str = "The hook and the table do not fit";

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Not reachable now: refused, restarted, shutting down, out of connections. Worth trying again.
    #[error("the database is not available: {reason}")]
    Unavailable { reason: String },
    /// The server answers, but gives no connection more. Those that are open are as good as before. Worth trying again.
    #[error("the database is not available: {reason}")]
    Full { reason: String },
    /// A standby, which takes no writes.
    #[error("the database is read-only: it is a standby, or default_transaction_read_only is on")]
    ReadOnly,
    /// The extension is missing, or of another version than this worker.
    #[error("the extension does not fit this worker: {reason}")]
    SchemaMismatch { reason: String },
    #[error(
        "the worker's role lacks a privilege: {reason}; an administrator can run SELECT zerodb.grant_worker('role')"
    )]
    Forbidden { reason: String },
    /// A hook and a table do not fit, as the extension says in the detail of its error.
    #[error("{reason}")]
    Misfit { reason: String },
    #[error("the database URL is not valid: {reason}")]
    Config { reason: String },
    /// A lock that somebody holds for longer than the worker waits. Worth trying again.
    #[error("a lock was not to be had: {reason}")]
    Locked { reason: String },
    /// The extension refused before it looked for the function of a `sql` hook: an event that it cannot be given, a
    /// hook of nobody.
    #[error("{reason}")]
    Uncallable { reason: String },
    #[error("an answer of the database is not of the expected form: {reason}")]
    Answer { reason: String },
    #[error("{message}")]
    Database { sqlstate: String, message: String },
}

impl StoreError {
    /// True when waiting may mend it: also a deadlock, a lock that is taken, a statement that was cancelled.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::Full { .. } | Self::ReadOnly | Self::Locked { .. } => true,
            Self::Database { sqlstate, .. } => [
                SqlState::T_R_SERIALIZATION_FAILURE.code(),
                SqlState::T_R_DEADLOCK_DETECTED.code(),
                SqlState::QUERY_CANCELED.code(),
            ]
            .contains(&sqlstate.as_str()),
            _ => false,
        }
    }

    /// True when the worker could not even try: no connection was to be had, the server went down, or others hold
    /// what the worker's own tables need. That is never an attempt.
    pub fn is_untried(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. } | Self::Full { .. } | Self::ReadOnly | Self::Locked { .. }
        )
    }

    /// True when the connections that are open are as good as before.
    pub fn spares_connections(&self) -> bool {
        matches!(self, Self::Locked { .. } | Self::Full { .. })
    }

    /// Makes an error of whatever kept the worker from having a connection.
    pub fn no_connection(error: impl std::fmt::Display) -> Self {
        Self::Unavailable {
            reason: error.to_string(),
        }
    }

    /// Makes it an error that kept the worker from having a connection, whichever it is.
    #[must_use]
    pub fn untried(self) -> Self {
        if self.is_untried() {
            self
        } else {
            Self::no_connection(self)
        }
    }

    /// The error of users' code that has not ended, and whose session was ended.
    pub fn no_end(within: Duration) -> Self {
        Self::Database {
            sqlstate: SqlState::QUERY_CANCELED.code().into(),
            message: format!("no end within {} ms", within.as_millis()),
        }
    }

    /// The error of a statement in which users' code ran, or of its COMMIT. Code may raise whatever it likes, so only
    /// a server that goes down is not the attempt's fault. A connection that is cut without a word is: the code may
    /// be what cut it.
    pub fn of_users_code(error: &tokio_postgres::Error) -> Self {
        let Some(server) = error.as_db_error() else {
            return Self::Database {
                sqlstate: SqlState::CONNECTION_FAILURE.code().into(),
                message: format!("the connection was cut: {}", said(error)),
            };
        };
        match Self::of_server(server) {
            Self::Unavailable { reason } if is_fatal(server) => Self::Unavailable { reason },
            found @ Self::Misfit { .. } => found,
            _ => Self::Database {
                sqlstate: server.code().code().into(),
                message: server.message().into(),
            },
        }
    }

    /// The error of calling a `sql` hook's function. Only what the extension says of the call itself is no error of
    /// users' code: a function may raise the same codes, about whatever it works on.
    pub fn of_hook_function(error: &tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(server) if is_of_the_call(server) => Self::Uncallable {
                reason: server.message().to_owned(),
            },
            _ => Self::of_users_code(error),
        }
    }

    fn of_server(server: &DbError) -> Self {
        let reason = server.message().to_owned();
        let code = server.code();
        match code.code() {
            _ if server.detail().is_some_and(|detail| detail.starts_with(MISFIT)) => Self::Misfit { reason },
            _ if *code == SqlState::TOO_MANY_CONNECTIONS => Self::Full { reason },
            // Connection exceptions, lack of resources, shutdown and start-up.
            state if state.starts_with("08") || state.starts_with("53") || state.starts_with("57P") => {
                Self::Unavailable { reason }
            }
            _ if *code == SqlState::READ_ONLY_SQL_TRANSACTION => Self::ReadOnly,
            _ if *code == SqlState::LOCK_NOT_AVAILABLE => Self::Locked { reason },
            _ if *code == SqlState::INSUFFICIENT_PRIVILEGE => Self::Forbidden { reason },
            _ if [
                SqlState::UNDEFINED_TABLE,
                SqlState::UNDEFINED_FUNCTION,
                SqlState::UNDEFINED_COLUMN,
                SqlState::INVALID_SCHEMA_NAME,
            ]
            .contains(code) =>
            {
                Self::SchemaMismatch { reason }
            }
            state => Self::Database {
                sqlstate: state.to_owned(),
                message: reason,
            },
        }
    }

    /// True when the server cancelled the statement: it took longer than its limit.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Database { sqlstate, .. } if sqlstate == SqlState::QUERY_CANCELED.code())
    }

    /// True when somebody must change a hook, a table or a privilege first. What users' code on the table raises has
    /// another state, whatever it is about (extension/src/error.rs).
    pub fn is_config(&self) -> bool {
        match self {
            Self::Database { sqlstate, .. } => [
                SqlState::INSUFFICIENT_PRIVILEGE.code(),
                SqlState::UNDEFINED_OBJECT.code(),
                SqlState::UNDEFINED_TABLE.code(),
                SqlState::INVALID_PARAMETER_VALUE.code(),
            ]
            .contains(&sqlstate.as_str()),
            Self::SchemaMismatch { .. } | Self::Forbidden { .. } => true,
            _ => false,
        }
    }
}

/// True where `zerodb._call_hook_function` says so, by the name of its routine: a function may raise any SQLSTATE.
fn is_of_the_call(server: &DbError) -> bool {
    server.routine() == Some(CALL)
}

/// True when the session ended with it. Code that raises the same SQLSTATE only ends its statement.
fn is_fatal(server: &DbError) -> bool {
    matches!(server.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
}

fn is_unreadable(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| {
        cause.is::<serde_json::Error>() || cause.is::<WrongType>() || cause.is::<WasNull>()
    })
}

fn said(error: &tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(server) => Self::of_server(server),
            // An answer, but one that cannot be read here, such as JSON that nests too deeply.
            None if is_unreadable(&error) => Self::Answer { reason: said(&error) },
            // No answer from a server: the connection could not be made, or ended.
            None => Self::no_connection(said(&error)),
        }
    }
}

impl From<PoolError> for StoreError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => error.into(),
            other => Self::Unavailable {
                reason: other.to_string(),
            },
        }
    }
}
