//! What users defined and does not work: hooks that cannot run, watches that have lost a column or a trigger.

use serde::Serialize;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::{QueryError, ask, statements};

zerodb_hooks_store::row! {
    /// A hook that cannot run or never matches, or that a worker has switched off.
    #[derive(Debug, Clone, Serialize)]
    pub struct HookFault {
        /// Its id.
        pub id: Uuid,
        /// Its name.
        pub hook_name: String,
        /// `no_function`, `no_owner`, `no_execute`, `no_predicate` or `switched_off`.
        pub fault: String,
        /// The function that it calls; the reason, where it was switched off.
        pub function: String,
        /// As whom it runs.
        pub owner: String,
    }
}

/// Hooks whose function, owner or condition is missing, or that a worker has switched off.
///
/// # Errors
/// Those of the statement.
pub async fn hook_faults(client: &Client) -> Result<Vec<HookFault>, QueryError> {
    ask::all(client, statements::HOOK_FAULTS, &[]).await
}

zerodb_hooks_store::row! {
    /// An active hook that could not be made today.
    #[derive(Debug, Clone, Serialize)]
    pub struct UnworkableHook {
        /// Its name.
        pub hook_name: String,
        /// What keeps it from its work.
        pub reason: String,
    }
}

/// Hooks with a template that does not parse, or a table without the columns that a first-party hook needs.
///
/// # Errors
/// Those of the statement.
pub async fn unworkable_hooks(client: &Client) -> Result<Vec<UnworkableHook>, QueryError> {
    ask::all(client, statements::UNWORKABLE_HOOKS, &[]).await
}

zerodb_hooks_store::row! {
    /// A column that a watch names and its table no longer has.
    #[derive(Debug, Clone, Serialize)]
    pub struct LostColumn {
        /// The table, as SQL writes it.
        pub target: String,
        /// Of the watch.
        pub event_type: String,
        /// The column.
        pub column_name: String,
    }
}

/// Columns that watches name and that are gone: their fields stay empty.
///
/// # Errors
/// Those of the statement.
pub async fn lost_columns(client: &Client) -> Result<Vec<LostColumn>, QueryError> {
    ask::all(client, statements::LOST_COLUMNS, &[]).await
}

zerodb_hooks_store::row! {
    /// A watched table that is written in ways that leave no event.
    #[derive(Debug, Clone, Serialize)]
    pub struct MissedWrites {
        /// The table, as SQL writes it.
        pub target: String,
        /// Of the watch.
        pub event_type: String,
        /// Which writes, for a person.
        pub missed: String,
    }
}

/// Watches that miss writes: through a table that theirs became a part of, or to heirs.
///
/// # Errors
/// Those of the statement.
pub async fn missed_writes(client: &Client) -> Result<Vec<MissedWrites>, QueryError> {
    ask::all(client, statements::MISSED_WRITES, &[]).await
}

zerodb_hooks_store::row! {
    /// A trigger with the function of watches that `zerodb.watch` did not make.
    #[derive(Debug, Clone, Serialize)]
    pub struct ForeignTrigger {
        /// Its table, as SQL writes it.
        pub target: String,
        /// Its name.
        pub name: String,
        /// Whether it records nothing; else it names a user whom `zerodb.watch` did not set, who does not count.
        pub is_useless: bool,
    }
}

/// Triggers that were made by hand with the function of watches.
///
/// # Errors
/// Those of the statement.
pub async fn foreign_triggers(client: &Client) -> Result<Vec<ForeignTrigger>, QueryError> {
    ask::all(client, statements::FOREIGN_TRIGGERS, &[]).await
}

zerodb_hooks_store::row! {
    /// A trigger that does not fire, or not for every write.
    #[derive(Debug, Clone, Serialize)]
    pub struct SilentTrigger {
        /// Its table, as SQL writes it.
        pub target: String,
        /// Its name.
        pub name: String,
        /// Whether it is of a watch; else of the extension's own tables.
        pub is_watch: bool,
        /// When it fires, as `pg_trigger.tgenabled` says it: `O` not for replicated writes, `D` and `R` never for
        /// others.
        pub enabled: String,
    }
}

/// Triggers of watches, and of the extension's own tables, that are switched off or do not always fire.
///
/// # Errors
/// Those of the statement.
pub async fn silent_triggers(client: &Client) -> Result<Vec<SilentTrigger>, QueryError> {
    ask::all(client, statements::SILENT_TRIGGERS, &[]).await
}
