//! Raises errors of users' code again, so that the worker does not take them for the extension's. Must not read their
//! texts.

use pgrx::pg_sys::panic::{ErrorReport, ErrorReportWithLevel};
use pgrx::prelude::*;

/// Codes that the worker takes for a fault of the hook or the table when this extension raises them: nothing is tried
/// until somebody mends it.
const FAULTS_OF_CONFIG: [PgSqlErrorCode; 7] = [
    PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
    PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
    PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE,
    PgSqlErrorCode::ERRCODE_UNDEFINED_COLUMN,
    PgSqlErrorCode::ERRCODE_UNDEFINED_FUNCTION,
    PgSqlErrorCode::ERRCODE_INVALID_SCHEMA_NAME,
    PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
];

/// Raises again an error of users' code, with the place where it was raised. A code that would read as a fault of the
/// hook becomes one of its own, 09000.
pub fn retell(report: &ErrorReportWithLevel, lines: Option<&str>) -> ! {
    let code = report.sql_error_code();
    let is_config = FAULTS_OF_CONFIG.contains(&code);
    let told = if is_config {
        PgSqlErrorCode::ERRCODE_TRIGGERED_ACTION_EXCEPTION
    } else {
        code
    };
    let place = lines.and_then(place_of);
    let place = place.map(|line| format!(" (in {line})")).unwrap_or_default();
    let mut again = ErrorReport::new(told, format!("{}{place}", report.message()), "zerodb_hooks");
    if let Some(detail) = report.detail() {
        again = again.set_detail(detail);
    }
    if let Some(hint) = report.hint() {
        again = again.set_hint(hint);
    }
    again.report(PgLogLevel::ERROR);
    unreachable!("an ERROR does not return")
}

/// The innermost function among the lines of a CONTEXT: in any language the server names it with its arguments, and
/// does not quote it. Lines with a quotation mark show statements, which may hold a user's values.
fn place_of(lines: &str) -> Option<&str> {
    lines
        .lines()
        .find(|line| line.contains('(') && line.contains(')') && !line.contains('"'))
}
