//! Makes the hooks of a database what a file says, in one transaction: all of it, or nothing. Every hook is tried, so
//! that all refusals are told at once.
//!
//! A hook that a file has made remembers it in its config, as `managed_by`: the name that [`Wish::source`] gives the
//! file. Only such a hook is changed or deleted by that file; one that was made by hand, or by another file, is left
//! and told, until it is taken over.

use serde_json::Value;
use tokio_postgres::{Client, Error, Transaction};
use uuid::Uuid;
use zerodb_hooks_queries::QueryError;
use zerodb_hooks_store::row;

use crate::change::{Action, Change};
use crate::declared::Declared;
use crate::file::HookFile;
use crate::mistake::{Mistake, Mistakes, Place};
use crate::statements::{ACTING_USER, DELETE_HOOK, HOOKS_OF_USER, SET_USER};
use crate::step::{Present, Refusal, is_race, one};
use crate::wish::Wish;

/// How often what another session has done in between is looked at anew.
const TRIES: u32 = 4;

/// What was done, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Applied {
    pub changes: Vec<Change>,
    pub unchanged: usize,
}

impl Applied {
    /// Whether anything is another than before.
    pub fn changed(&self) -> bool {
        self.changes.iter().any(|change| change.action != Action::Leave)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Of the file, or what the database says of its hooks. Nothing was changed.
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
    /// Of the connection or the role.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl From<Error> for ApplyError {
    fn from(error: Error) -> Self {
        Self::Query(error.into())
    }
}

/// # Errors
/// `Mistakes` for all that is wrong with the file or its hooks; `Query` when the database cannot be asked.
pub async fn apply(client: &mut Client, file: &HookFile, wish: &Wish<'_>) -> Result<Applied, ApplyError> {
    let mut tries = 1;
    loop {
        match once(client, file, wish).await {
            // Two hooks of one name race with each other, and the file says so.
            Err(Ended::Raced) if let Some(mistakes) = file.mistakes() => return Err(mistakes.into()),
            Err(Ended::Raced) if tries < TRIES => tries += 1,
            Err(Ended::Raced) => {
                let what = "the hooks were changed by somebody else at the same time";
                let place = Place { line: 1, column: 1 };
                let mistake = Mistake::new(place, "", what, "Apply the file again.");
                return Err(Mistakes::new(&file.name, vec![mistake]).into());
            }
            Err(Ended::Failed(error)) => return Err(error),
            Ok(applied) => return Ok(applied),
        }
    }
}

/// Why a round ended.
enum Ended {
    /// Another session was there first.
    Raced,
    Failed(ApplyError),
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        match error.code() {
            Some(code) if is_race(code) => Self::Raced,
            _ => Self::Failed(error.into()),
        }
    }
}

async fn once(client: &mut Client, file: &HookFile, wish: &Wish<'_>) -> Result<Applied, Ended> {
    let mut transaction = client.transaction().await?;
    if let Some(user) = wish.user {
        transaction.query_one(SET_USER, &[&user.to_string()]).await?;
    }
    let acting: Uuid = transaction
        .query_one(ACTING_USER, &[])
        .await?
        .try_get("user_id")?;
    let present = present(&transaction, acting, &file.hooks).await?;
    let mut applied = Applied::default();
    let mut mistakes = file.mistakes.clone();
    for (at, declared) in file.hooks.iter().enumerate() {
        let place = i32::try_from(at).ok();
        let there = present
            .iter()
            .find(|hook| hook.place.is_some() && hook.place == place);
        let step = transaction.savepoint("hook").await?;
        match one(&step, declared, there, wish).await {
            Ok(Some(change)) => {
                step.commit().await?;
                applied.changes.push(change);
            }
            Ok(None) => {
                step.commit().await?;
                applied.unchanged += 1;
            }
            Err(Refusal::Mistake(mistake)) => {
                step.rollback().await?;
                // What is wrong with the hook by itself was told with the file.
                if declared.is_sound || mistake.place == declared.event_place {
                    mistakes.push(mistake);
                }
            }
            Err(Refusal::Error(error)) => return Err(error.into()),
        }
    }
    if !mistakes.is_empty() {
        return Err(Ended::Failed(Mistakes::new(&file.name, mistakes).into()));
    }
    for hook in present
        .iter()
        .filter(|hook| hook.place.is_none() && hook.source() == Some(wish.source))
    {
        if wish.prune {
            transaction.query_one(DELETE_HOOK, &[&hook.id]).await?;
            applied.changes.push(hook.change(Action::Delete, Vec::new()));
        } else {
            applied.changes.push(hook.change(Action::Leave, Vec::new()));
        }
    }
    match wish.dry_run {
        true => transaction.rollback().await?,
        false => transaction.commit().await?,
    }
    Ok(applied)
}

async fn present(
    transaction: &Transaction<'_>,
    user: Uuid,
    hooks: &[Declared],
) -> Result<Vec<Present>, Error> {
    let event_types: Vec<&str> = hooks.iter().map(|hook| hook.event_type.as_str()).collect();
    let names: Vec<&str> = hooks.iter().map(Declared::hook_name).collect();
    let projects: Vec<Option<Uuid>> = hooks.iter().map(|hook| hook.project_id).collect();
    let configs: Vec<Value> = hooks
        .iter()
        .map(|hook| Value::Object(hook.config.clone()))
        .collect();
    let rows = transaction
        .query(HOOKS_OF_USER, &[&user, &event_types, &names, &projects, &configs])
        .await?;
    row::all(&rows)
}
