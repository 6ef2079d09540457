//! Every error that the extension's Rust raises, with its SQLSTATE, message, detail and hint.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

#[derive(Debug)]
pub enum Error {
    UnknownHookType {
        hook_type: String,
    },
    UnknownFirstParty {
        hook_name: String,
    },
    BadHookName {
        hook_name: String,
    },
    ConfigNotAnObject,
    UnknownKey {
        key: String,
        handler: &'static str,
        known: String,
    },
    MissingKey {
        key: &'static str,
        handler: &'static str,
    },
    BadValue {
        key: String,
        expected: &'static str,
    },
    LiteralSecret {
        key: String,
    },
    NoHookFunction {
        function: String,
    },
    OwnerMissing {
        owner: String,
    },
    OwnerMayNotExecute {
        owner: String,
        function: String,
    },
    LogOfOtherVersion,
    NotATrigger,
    NullArgument,
    BadDimensions,
    TableGone,
    TableOfAnother {
        owner: String,
    },
    UnknownAction {
        action: String,
    },
    RestrictedOperation {
        function: String,
    },
    NoInnerFunction,
}

impl Error {
    fn sqlstate(&self) -> PgSqlErrorCode {
        match self {
            Self::NoHookFunction { .. } => PgSqlErrorCode::ERRCODE_UNDEFINED_FUNCTION,
            Self::OwnerMissing { .. } => PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
            Self::OwnerMayNotExecute { .. } | Self::TableOfAnother { .. } => {
                PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE
            }
            Self::TableGone => PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE,
            Self::UnknownAction { .. } | Self::NoInnerFunction => PgSqlErrorCode::ERRCODE_UNDEFINED_FUNCTION,
            Self::RestrictedOperation { .. } => PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            Self::NullArgument => PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
            Self::LogOfOtherVersion => PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            Self::NotATrigger => PgSqlErrorCode::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
            _ => PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::UnknownHookType { hook_type } => format!("unknown hook type '{hook_type}'"),
            Self::UnknownFirstParty { hook_name } => format!("'{hook_name}' is not a first-party hook"),
            Self::BadHookName { hook_name } => format!("invalid hook name '{hook_name}'"),
            Self::ConfigNotAnObject => "hook_config must be a JSON object".into(),
            Self::UnknownKey { key, handler, .. } => {
                format!("unknown key \"{key}\" in the config of a {handler} hook")
            }
            Self::MissingKey { key, handler } => format!("the config of a {handler} hook needs \"{key}\""),
            Self::BadValue { key, .. } => format!("invalid value for \"{key}\" in hook_config"),
            Self::LiteralSecret { key } => format!("\"{key}\" in hook_config holds a literal secret"),
            Self::NoHookFunction { function } => format!("function {function}(jsonb) does not exist"),
            Self::OwnerMissing { owner } => format!("the hook's owner, role \"{owner}\", does not exist"),
            Self::OwnerMayNotExecute { owner, function } => {
                format!("role \"{owner}\" may not execute function {function}(jsonb)")
            }
            Self::LogOfOtherVersion => "the event log has the form of another version of zerodb_hooks".into(),
            Self::NotATrigger => {
                "zerodb._capture() was not called as a trigger that zerodb.watch() made".into()
            }
            Self::BadDimensions => "invalid dimensions of a vector".into(),
            Self::NullArgument => "zerodb._as_owner() was called with a null argument".into(),
            Self::TableGone => "the table that the event is about does not exist".into(),
            Self::TableOfAnother { owner } => {
                format!("the hook's owner, role \"{owner}\", may not act for the owner of the table")
            }
            Self::UnknownAction { action } => format!("a handler has no action '{action}'"),
            Self::RestrictedOperation { function } => {
                format!("zerodb.{function}() cannot be called within a security-restricted operation")
            }
            Self::NoInnerFunction => "the function has no inner function beside it".into(),
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::UnknownKey { known, .. } => Some(format!("Its keys: {known}.")),
            Self::BadValue { expected, .. } => Some(format!("Expected {expected}.")),
            Self::LiteralSecret { .. } => {
                Some("A secret never reaches a row; the worker reads it from its environment.".into())
            }
            Self::TableOfAnother { .. } => Some(
                "Triggers that he has put on the table would run with the rights of the hook's owner.".into(),
            ),
            Self::RestrictedOperation { .. } => Some(
                "ANALYZE, REINDEX, REFRESH MATERIALIZED VIEW and the worker's handlers run the code of others so.".into(),
            ),
            _ => None,
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::UnknownHookType { .. } => "Use first_party, webhook, log, sql or function.",
            Self::UnknownFirstParty { .. } => {
                "Use auto_embed, auto_summarize or auto_graph, or give hook_type => 'webhook', 'log', 'sql' or 'function'."
            }
            Self::BadHookName { .. } => {
                "A name starts with a letter or digit and goes on with letters, digits, '_', '-' or '.', at most 100."
            }
            Self::ConfigNotAnObject => "For example '{\"url\": \"https://example.com/hook\"}', or '{}'.",
            Self::UnknownKey { .. } => "Remove the key or correct its name.",
            Self::MissingKey { .. } => "Add the key to hook_config.",
            Self::BadValue { .. } => "Correct the value.",
            Self::LiteralSecret { .. } => {
                "Write \"${ZERODB_SECRET_NAME}\" and set that variable where the worker runs."
            }
            Self::NoHookFunction { .. } => {
                "Create the function again, or change the hook with zerodb.update_hook."
            }
            Self::OwnerMissing { .. } => {
                "SELECT zerodb.take_hook(id): the role that does so becomes its owner."
            }
            Self::OwnerMayNotExecute { .. } => "GRANT EXECUTE on the function to the hook's owner.",
            Self::BadDimensions => "Give 1 to 16000.",
            Self::NullArgument => "Only the worker calls it.",
            Self::TableGone => "Delete the hook, or replay it once the table is there again.",
            Self::TableOfAnother { .. } => {
                "SELECT zerodb.take_hook(id) as the table's owner or a member of that role: who does so becomes the hook's owner."
            }
            Self::RestrictedOperation { .. } => {
                "Call it from a session of its own, not from an index, a view or a hook."
            }
            Self::NoInnerFunction => "ALTER EXTENSION zerodb_hooks UPDATE;",
            Self::UnknownAction { .. } => "Run a worker of the same version as the extension.",
            Self::LogOfOtherVersion => "ALTER EXTENSION zerodb_hooks UPDATE;",
            Self::NotATrigger => {
                "Call SELECT zerodb.watch('your_table', 'event.type') and leave its triggers as they are."
            }
        }
    }
}

/// Raises the error in Postgres; the transaction, or the enclosing exception block, ends here.
pub fn raise(error: Error) -> ! {
    let mut report =
        ErrorReport::new(error.sqlstate(), error.message(), "zerodb_hooks").set_hint(error.hint());
    if let Some(detail) = error.detail() {
        report = report.set_detail(detail);
    }
    report.report(PgLogLevel::ERROR);
    unreachable!("an ERROR does not return")
}
