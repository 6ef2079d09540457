//! Checks of the extension in this database: its version, its library, what the role may do, its setting for NOTIFY.

use super::finding::{Checked, Finding, some_of};
use zerodb_hooks_queries::{
    Client, QueryError, SCHEMA_USAGE, SqlState, extension_versions, invalid_indexes, load_library,
    missing_privileges, notify_off,
};

const OURS: &str = env!("CARGO_PKG_VERSION");

/// Whether the extension exists here, and what is to be said of its version.
pub(super) async fn installed(client: &Client) -> Result<(bool, Finding), QueryError> {
    let versions = extension_versions(client).await?;
    let finding = version(versions.installed.as_deref(), versions.available.as_deref());
    Ok((versions.installed.is_some(), finding))
}

fn version(installed: Option<&str>, available: Option<&str>) -> Finding {
    match (installed, available) {
        (None, None) => Finding::failed(
            "the server does not have zerodb_hooks",
            "install its package for this PostgreSQL (or `make install`), then CREATE EXTENSION zerodb_hooks",
        ),
        (None, Some(_)) => Finding::failed(
            "zerodb_hooks is not created in this database",
            "CREATE EXTENSION zerodb_hooks, or name the database that has it",
        ),
        (Some(installed), _) if installed == OURS => {
            Finding::ok(format!("zerodb_hooks {installed}, as this program"))
        }
        (Some(installed), Some(available)) if available == OURS => Finding::failed(
            format!("the database has zerodb_hooks {installed}, this program is {OURS}"),
            "ALTER EXTENSION zerodb_hooks UPDATE",
        ),
        (Some(installed), _) => Finding::failed(
            format!("the database has zerodb_hooks {installed}, this program is {OURS}"),
            "install both in the same version, then ALTER EXTENSION zerodb_hooks UPDATE",
        ),
    }
}

/// Indexes of the extension's tables that a rebuild has left behind.
pub(super) async fn indexes(client: &Client) -> Checked {
    let indexes = invalid_indexes(client).await?;
    let invalid: Vec<_> = indexes.into_iter().map(|index| index.name).collect();
    if invalid.is_empty() {
        return Ok(Finding::ok("all are valid"));
    }
    Ok(Finding::warning(
        format!(
            "not valid, so they serve nobody and cost each write: {}",
            some_of(&invalid)
        ),
        "where a rebuild runs, wait for it; else DROP INDEX those that end in _ccnew or _ccold, and REINDEX the others",
    ))
}

/// Whether the server can load the library.
pub(super) async fn library(client: &Client) -> Checked {
    match load_library(client).await {
        Ok(()) => Ok(Finding::ok("loads")),
        // Without the right to call it nothing is known of the library; `privileges` says that.
        Err(error) if error.sqlstate() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Err(error),
        Err(error) => {
            let reason = error.message();
            Ok(Finding::failed(
                format!("does not load, so watched tables cannot be written: {reason}"),
                "install the extension's package again, for this server's version of PostgreSQL",
            ))
        }
    }
}

/// What zerodb.grant_worker gives; first, whether the role may use the schema at all.
pub(super) async fn privileges(client: &Client) -> Result<(bool, Finding), QueryError> {
    let missing = missing_privileges(client).await?;
    if missing.is_empty() {
        return Ok((true, Finding::ok("all that a worker needs")));
    }
    let message = format!("the role cannot run the worker; it lacks {}", some_of(&missing));
    let usable = !missing.iter().any(|privilege| privilege == SCHEMA_USAGE);
    Ok((usable, Finding::failed(message, GRANT)))
}

const GRANT: &str = "an administrator runs: SELECT zerodb.grant_worker('the role'); again after an upgrade";

/// Whether commits wake the worker.
pub(super) async fn notify(client: &Client) -> Checked {
    let places = notify_off(client).await?;
    if places.is_empty() {
        return Ok(Finding::ok("on: a commit wakes a worker that waits"));
    }
    Ok(Finding::warning(
        format!(
            "off for {}: their events wait for the worker's next poll (--poll-ms)",
            some_of(&places)
        ),
        "if that is not meant: ALTER DATABASE … RESET zerodb.notify, ALTER ROLE … RESET zerodb.notify",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict;

    #[test]
    fn the_remedy_fits_what_is_missing() {
        assert_eq!(version(Some(OURS), Some("9")).verdict, Verdict::Ok);
        assert_eq!(
            version(Some("0.0.1"), Some(OURS)).remedy,
            "ALTER EXTENSION zerodb_hooks UPDATE"
        );
        assert!(version(None, Some(OURS)).remedy.starts_with("CREATE EXTENSION"));
        assert!(version(None, None).remedy.starts_with("install its package"));
        assert!(
            version(Some("9.0.0"), Some("9.0.0"))
                .remedy
                .starts_with("install both")
        );
    }
}
