//! What can go wrong with the database, by SQLSTATE. Callers branch on the variant, never on a text.

use deadpool_postgres::{HookError, PoolError};
use tokio_postgres::error::SqlState;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Not reachable now: refused, restarted, shutting down, out of connections. Worth trying again.
    #[error("the database is not available: {reason}")]
    Unavailable { reason: String },
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
    #[error("the database URL is not valid: {reason}")]
    Config { reason: String },
    #[error("an answer of the database is not of the expected form: {reason}")]
    Answer { reason: String },
    #[error("{message}")]
    Database { sqlstate: String, message: String },
}

impl StoreError {
    /// True when waiting may mend it: also a deadlock, a lock that is taken, a statement that was cancelled.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::ReadOnly => true,
            Self::Database { sqlstate, .. } => [
                SqlState::T_R_SERIALIZATION_FAILURE.code(),
                SqlState::T_R_DEADLOCK_DETECTED.code(),
                SqlState::LOCK_NOT_AVAILABLE.code(),
                SqlState::QUERY_CANCELED.code(),
            ]
            .contains(&sqlstate.as_str()),
            _ => false,
        }
    }

    /// The same for an action that ran with another role's rights: a privilege that lacks is not the worker's.
    #[must_use]
    pub fn of_owner(self) -> Self {
        match self {
            Self::Forbidden { reason } => Self::Database {
                sqlstate: SqlState::INSUFFICIENT_PRIVILEGE.code().into(),
                message: reason,
            },
            other => other,
        }
    }

    /// True when somebody must change a hook, a table or a privilege first.
    pub fn is_config(&self) -> bool {
        match self {
            Self::Database { sqlstate, .. } => [
                SqlState::INSUFFICIENT_PRIVILEGE.code(),
                SqlState::UNDEFINED_OBJECT.code(),
                SqlState::INVALID_PARAMETER_VALUE.code(),
            ]
            .contains(&sqlstate.as_str()),
            Self::SchemaMismatch { .. } | Self::Forbidden { .. } => true,
            _ => false,
        }
    }

    /// True when a function that a hook names is not there or not allowed.
    pub fn is_missing_or_forbidden(&self) -> bool {
        match self {
            Self::Forbidden { .. } | Self::SchemaMismatch { .. } => true,
            Self::Database { sqlstate, .. } => [
                SqlState::INSUFFICIENT_PRIVILEGE.code(),
                SqlState::UNDEFINED_OBJECT.code(),
                SqlState::INVALID_PARAMETER_VALUE.code(),
            ]
            .contains(&sqlstate.as_str()),
            _ => false,
        }
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(server) = error.as_db_error() else {
            // No answer from a server: the connection could not be made, or ended.
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let reason = cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
            return Self::Unavailable { reason };
        };
        let reason = server.message().to_owned();
        let code = server.code();
        match code.code() {
            // Connection exceptions, lack of resources, shutdown and start-up.
            state if state.starts_with("08") || state.starts_with("53") || state.starts_with("57P") => {
                Self::Unavailable { reason }
            }
            _ if *code == SqlState::READ_ONLY_SQL_TRANSACTION => Self::ReadOnly,
            _ if *code == SqlState::INSUFFICIENT_PRIVILEGE => Self::Forbidden { reason },
            _ if [
                SqlState::UNDEFINED_TABLE,
                SqlState::UNDEFINED_FUNCTION,
                SqlState::UNDEFINED_COLUMN,
            ]
            .contains(code)
                || *code == SqlState::INVALID_SCHEMA_NAME =>
            {
                Self::SchemaMismatch { reason }
            }
            state => Self::Database {
                sqlstate: state.to_owned(),
                message: reason,
            },
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
