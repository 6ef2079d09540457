//! Every error that the extension's Rust raises, with its SQLSTATE, message, detail and hint.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use zerodb_hooks_contract::Fault;

#[derive(Debug)]
pub enum Error {
    /// What is wrong with a hook that is made or changed.
    Hook(Fault),
    NoHookFunction {
        function: String,
    },
    OwnerMayNotExecute {
        owner: String,
        function: String,
    },
    Uncallable {
        sqlstate: PgSqlErrorCode,
        message: String,
        detail: Option<String>,
    },
    LogOfOtherVersion,
    NoKeyIndex,
    NoInstance,
    NotATrigger,
    NullArgument,
    BadDimensions,
    FunctionOfAnother {
        function: String,
    },
    RestrictedOperation {
        function: String,
    },
    NoInnerFunction,
    UnreadableConfig {
        reason: String,
    },
    NotInstalled,
    NotSettled,
    RuleOnTable,
    ChunksChanged,
    TemporaryObject,
    UnknownLock {
        lock: String,
    },
    OutOfMemory,
    TextTooLong {
        size: usize,
        limit: usize,
    },
}

impl Error {
    fn sqlstate(&self) -> PgSqlErrorCode {
        match self {
            Self::NoHookFunction { .. } | Self::NoInnerFunction | Self::NotInstalled => {
                PgSqlErrorCode::ERRCODE_UNDEFINED_FUNCTION
            }
            Self::OwnerMayNotExecute { .. }
            | Self::FunctionOfAnother { .. }
            | Self::RestrictedOperation { .. }
            | Self::TemporaryObject => PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            Self::Uncallable { sqlstate, .. } => *sqlstate,
            Self::NotSettled => PgSqlErrorCode::ERRCODE_INTERNAL_ERROR,
            Self::RuleOnTable => PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
            Self::ChunksChanged => PgSqlErrorCode::ERRCODE_T_R_SERIALIZATION_FAILURE,
            Self::NullArgument => PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
            Self::LogOfOtherVersion | Self::NoKeyIndex | Self::NoInstance => {
                PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE
            }
            Self::OutOfMemory => PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY,
            Self::TextTooLong { .. } => PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
            Self::NotATrigger => PgSqlErrorCode::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
            _ => PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Hook(fault) => fault.message(),
            Self::NoHookFunction { function } => format!("function {} does not exist", of_event(function)),
            Self::OwnerMayNotExecute { owner, function } => {
                format!("role \"{owner}\" may not execute function {}", of_event(function))
            }
            Self::Uncallable { message, .. } => message.clone(),
            Self::LogOfOtherVersion => "the event log has the form of another version of zerodb_hooks".into(),
            Self::NoKeyIndex => "a partition of the event log has no valid index on (xid, ord)".into(),
            Self::NoInstance => "zerodb.instance has no row".into(),
            Self::NotATrigger => "zerodb._capture() was not called as a trigger".into(),
            Self::BadDimensions => "invalid dimensions of a vector".into(),
            Self::NullArgument => "zerodb._as_owner() was called with a null argument".into(),
            Self::FunctionOfAnother { function } => {
                format!(
                    "function {} belongs to another role than the hook",
                    of_event(function)
                )
            }
            Self::RestrictedOperation { function } => {
                format!("zerodb.{function}() cannot be called within a security-restricted operation")
            }
            Self::NoInnerFunction => "the function has no inner function beside it".into(),
            Self::UnreadableConfig { .. } => "hook_config cannot be read".into(),
            Self::NotInstalled => "the extension is not there, or of another version than its library".into(),
            Self::NotSettled => "deferred triggers could not be fired".into(),
            Self::RuleOnTable => {
                "a rule makes more or less than one statement of a write to the table".into()
            }
            Self::ChunksChanged => "the chunks of a row were changed at the same time".into(),
            Self::TemporaryObject => "the code of a hook made a temporary object".into(),
            Self::UnknownLock { lock } => format!("there is no lock '{lock}'"),
            Self::OutOfMemory => "out of memory".into(),
            Self::TextTooLong { size, .. } => format!("the text to embed has {size} bytes"),
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::Uncallable { detail, .. } => detail.clone(),
            Self::Hook(fault) => fault.detail(),
            Self::TextTooLong { limit, .. } => Some(format!("The local provider takes {limit}.")),
            Self::FunctionOfAnother { .. } => Some(
                "Who owns a function can change it at any time, and it would run with the rights of the hook's owner."
                    .into(),
            ),
            Self::UnreadableConfig { reason } => Some(format!("{reason}.")),
            Self::RestrictedOperation { .. } => Some(
                "ANALYZE, REINDEX, REFRESH MATERIALIZED VIEW and the worker's handlers run the code of others so.".into(),
            ),
            Self::TemporaryObject => {
                Some("It would stay in the worker's session, for the code of the next hook to find.".into())
            }
            _ => None,
        }
    }

    /// The name by which the worker knows that a call was refused before its function was looked for.
    fn routine(&self) -> &'static str {
        match self {
            Self::Uncallable { .. } => "zerodb_call_hook_function",
            _ => "zerodb_hooks",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Hook(fault) => match nearest_key(fault) {
                Some(nearest) => format!("Did you mean \"{nearest}\"?"),
                None => fault.hint(),
            },
            other => other.advice().into(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Hook(_) => "Correct the hook.",
            Self::NoHookFunction { .. } => {
                "Create the function again, or change the hook with zerodb.update_hook."
            }
            Self::RestrictedOperation { .. } => {
                "Call it from a session of its own, not from an index, a view or a hook."
            }
            Self::Uncallable { .. } => {
                "SELECT zerodb.take_hook(id) makes you the hook's owner; zerodb.update_hook changes its function."
            }
            Self::UnreadableConfig { .. } => {
                "Keep it flat: no handler's config nests deeper than two levels."
            }
            Self::OwnerMayNotExecute { .. } => "GRANT EXECUTE on the function to the hook's owner.",
            Self::BadDimensions => "Give 1 to 16000.",
            Self::NullArgument => "Only the worker calls it.",
            Self::FunctionOfAnother { .. } => {
                "ALTER FUNCTION … OWNER TO the hook's owner, or let the function's owner make the hook."
            }
            Self::NotSettled => "Try again; if it stays so, report it.",
            Self::RuleOnTable => "Use triggers instead of rules on tables that hooks write to.",
            Self::ChunksChanged => "It is tried again.",
            Self::TemporaryObject => "Make it in a schema of its own, and drop it at the end.",
            Self::UnknownLock { .. } => "Run a worker of the same version as the extension.",
            Self::OutOfMemory => {
                "Write fewer or smaller rows in one statement, or give the server more memory."
            }
            Self::TextTooLong { .. } => "Cut the text into parts.",
            Self::NoInnerFunction | Self::NotInstalled | Self::LogOfOtherVersion => {
                "ALTER EXTENSION zerodb_hooks UPDATE;"
            }
            Self::NoInstance => {
                "INSERT INTO zerodb.instance (salt) VALUES (a random number), of which the ids of events are made."
            }
            Self::NoKeyIndex => {
                "CREATE INDEX ON zerodb.outbox (xid, ord); \\d zerodb.outbox_0 shows what there is."
            }
            Self::NotATrigger => {
                "Call SELECT zerodb.watch('your_table', 'event.type') and leave its triggers as they are."
            }
        }
    }
}

/// The key that somebody meant who wrote one that there is not.
fn nearest_key(fault: &Fault) -> Option<&'static str> {
    match fault {
        Fault::UnknownKey { key, known, .. } => zerodb_hooks_lexical::nearest(key, known.iter().copied()),
        _ => None,
    }
}

/// The name of a hook's function with its argument, which may stand there already.
fn of_event(function: &str) -> String {
    if function.ends_with(')') {
        function.to_owned()
    } else {
        format!("{function}(jsonb)")
    }
}

/// Raises the error in Postgres; the transaction, or the enclosing exception block, ends here.
pub fn raise(error: Error) -> ! {
    let mut report =
        ErrorReport::new(error.sqlstate(), error.message(), error.routine()).set_hint(error.hint());
    if let Some(detail) = error.detail() {
        report = report.set_detail(detail);
    }
    report.report(PgLogLevel::ERROR);
    unreachable!("an ERROR does not return")
}
