//! The ledger of what models were used for, and the budgets that it may not exceed.

use std::time::Duration;

use uuid::Uuid;

use super::error::StoreError;
use super::statements::{
    CHECK_BUDGETS, PRUNE_ADMISSIONS, PRUNE_ENDPOINTS, RECORD_USAGE, ROLL_UP_USAGE, TIDY_BUDGETS,
};
use super::store::Store;
use zerodb_hooks_providers::Usage;

/// For how long a request that is under way, or whose worker died, counts for its budgets.
const HOLD: Duration = Duration::from_secs(5 * 60);
/// The age at which entries of the ledger go into the sums of their days.
const KEPT: &str = "5 minutes";
/// Entries that one statement moves.
const BATCH: i32 = 10_000;

/// A request that is to be sent, or several that are weighed as one.
#[derive(Debug, Clone)]
pub struct Spending {
    /// The id of the `UsageEntry` in which it will end.
    pub id: Uuid,
    /// The user of the event; `None` where it has none.
    pub user_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub handler: String,
    /// An estimate, prompt and answer together; with 0 it goes as long as anything is left.
    pub tokens: u64,
}

/// A budget is used up: nothing was counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("budget_exceeded: {reason}")]
pub struct OverBudget {
    /// The wait before asking again is worth while.
    pub after: Duration,
    reason: String,
}

/// An entry of the ledger of usage: one for each request, or for what was answered together.
#[derive(Debug, Clone)]
pub struct UsageEntry {
    /// Unique; recording it twice counts once.
    pub id: Uuid,
    pub user_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub handler: String,
    pub hook_id: Option<Uuid>,
    /// The provider's name in the worker's file.
    pub provider: String,
    pub model: String,
    /// Zero, with no tokens: it was not sent after all, and what its budgets hold is free again.
    pub requests: u32,
    pub inputs: u32,
    pub usage: Usage,
}

impl Store {
    /// Asks whether requests fit into the budgets that apply to them, in the order given. Those that do are counted
    /// until their entry is recorded, at most five minutes. Asking again with the same id counts once. Where no
    /// budget is set it costs a look at an empty table.
    ///
    /// # Errors
    /// Those of any statement. Safe to cancel: what was counted is then free again after five minutes.
    pub async fn check_budgets(&self, wanted: &[Spending]) -> Result<Vec<Option<OverBudget>>, StoreError> {
        let mut answers = vec![None; wanted.len()];
        self.bounded(async {
            let connection = self.row_connection().await?;
            let statement = connection.prepare_cached(CHECK_BUDGETS).await?;
            let ids: Vec<Uuid> = wanted.iter().map(|one| one.id).collect();
            let users: Vec<Uuid> = wanted.iter().map(|one| one.user_id.unwrap_or_default()).collect();
            let projects: Vec<Option<Uuid>> = wanted.iter().map(|one| one.project_id).collect();
            let handlers: Vec<&str> = wanted.iter().map(|one| one.handler.as_str()).collect();
            let tokens: Vec<i64> = wanted.iter().map(|one| stored(one.tokens)).collect();
            let hold = stored(u64::try_from(HOLD.as_millis()).unwrap_or(u64::MAX));
            let rows = connection
                .query(&statement, &[&ids, &users, &projects, &handlers, &tokens, &hold])
                .await?;
            for row in rows {
                let place = usize::try_from(row.try_get::<_, i32>("place")?).unwrap_or(0);
                let wait = u64::try_from(row.try_get::<_, i64>("wait_ms")?).unwrap_or(0);
                if let Some(answer) = place.checked_sub(1).and_then(|place| answers.get_mut(place)) {
                    *answer = Some(OverBudget {
                        after: Duration::from_millis(wait),
                        reason: row.try_get("reason")?,
                    });
                }
            }
            Ok(())
        })
        .await?;
        Ok(answers)
    }

    /// Writes what was used, and frees what budgets held for it. When the answer was lost, it is repeated with the
    /// same entries.
    ///
    /// # Errors
    /// Those of any statement; nothing is then written, or all of it. Safe to cancel.
    pub async fn record_usage(&self, entries: &[UsageEntry]) -> Result<(), StoreError> {
        let columns = Columns::of(entries);
        self.bounded(async {
            let connection = self.row_connection().await?;
            let statement = connection.prepare_cached(RECORD_USAGE).await?;
            connection
                .query_one(
                    &statement,
                    &[
                        &columns.ids,
                        &columns.users,
                        &columns.projects,
                        &columns.handlers,
                        &columns.hooks,
                        &columns.providers,
                        &columns.models,
                        &columns.requests,
                        &columns.inputs,
                        &columns.prompt_tokens,
                        &columns.completion_tokens,
                        &columns.estimated,
                    ],
                )
                .await?;
            Ok(())
        })
        .await
    }

    /// Moves a batch of old entries into the sums of their days; true when there may be more.
    ///
    /// # Errors
    /// Those of any statement.
    pub async fn roll_up_usage(&self) -> Result<bool, StoreError> {
        let connection = self.connection().await?;
        let moved: i64 = connection
            .query_one(ROLL_UP_USAGE, &[&KEPT, &BATCH])
            .await?
            .try_get(0)?;
        Ok(moved >= i64::from(BATCH))
    }

    /// Removes admissions to endpoints that no longer count, and what was held for requests that were never recorded.
    ///
    /// # Errors
    /// Those of any statement.
    pub async fn prune_endpoints(&self) -> Result<(), StoreError> {
        let connection = self.connection().await?;
        connection.execute(PRUNE_ADMISSIONS, &[]).await?;
        connection.execute(PRUNE_ENDPOINTS, &[]).await?;
        connection.query_one(TIDY_BUDGETS, &[]).await?;
        Ok(())
    }
}

/// Entries as arrays, in the order of the statement's parameters.
#[derive(Default)]
struct Columns<'a> {
    ids: Vec<Uuid>,
    users: Vec<Uuid>,
    projects: Vec<Option<Uuid>>,
    handlers: Vec<&'a str>,
    hooks: Vec<Option<Uuid>>,
    providers: Vec<&'a str>,
    models: Vec<&'a str>,
    requests: Vec<i32>,
    inputs: Vec<i32>,
    prompt_tokens: Vec<i64>,
    completion_tokens: Vec<i64>,
    estimated: Vec<bool>,
}

impl<'a> Columns<'a> {
    fn of(entries: &'a [UsageEntry]) -> Self {
        let mut columns = Self::default();
        for entry in entries {
            columns.ids.push(entry.id);
            columns.users.push(entry.user_id.unwrap_or_default());
            columns.projects.push(entry.project_id);
            columns.handlers.push(&entry.handler);
            columns.hooks.push(entry.hook_id);
            columns.providers.push(&entry.provider);
            columns.models.push(&entry.model);
            columns
                .requests
                .push(i32::try_from(entry.requests).unwrap_or(i32::MAX));
            columns
                .inputs
                .push(i32::try_from(entry.inputs).unwrap_or(i32::MAX));
            columns.prompt_tokens.push(stored(entry.usage.prompt_tokens));
            columns
                .completion_tokens
                .push(stored(entry.usage.completion_tokens));
            columns.estimated.push(entry.usage.estimated);
        }
        columns
    }
}

/// A server that claims more than this is not believed: sums must not overflow.
fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX).min(1 << 50)
}
