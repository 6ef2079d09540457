//! The summary of one row, from its key to the write-back. Decides nothing about attempts beyond what its errors say.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use zerodb_hooks_documents::unguarded;

use super::asking::Asker;
use super::by_model::ByModel;
use super::recipe::{Made, Need, Recipe};
use super::stage::{Failed, Stage};
use super::summary::{Method, Summary};
use super::table::Table;
use crate::source::{self, Files, Text};
use crate::spending::{self, Account, Spent};
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::verdict;
use zerodb_hooks_providers::Provider;

/// A hook's work on one row.
pub struct Work<'a> {
    pub table: Table<'a>,
    pub provider: &'a Provider,
    pub recipe: &'a Recipe,
    pub until: Instant,
    /// Something was paid for and kept: a later attempt has less to do.
    pub progress: AtomicBool,
}

/// What became of a row.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    Done,
    /// It changed while it was summarised.
    Changed,
}

impl Work<'_> {
    /// Brings the summary of the row up to date. A row that is gone needs nothing.
    ///
    /// # Errors
    /// What a delivery's failure means; see `verdict`. Safe to cancel.
    pub async fn once(&self, files: &Files) -> Result<Ended, HandlerError> {
        let Some(row) = self.table.read().await? else {
            return Ok(Ended::Done);
        };
        match self.recipe.need(&row)? {
            Need::Nothing => Ok(Ended::Done),
            Need::Clear(made) => {
                let nothing = Summary::passthrough("");
                self.write(&made, &nothing, "", Spent::default()).await
            }
            Need::Make(made) => {
                let time = self.time();
                let Some(text) =
                    source::read_text(&self.table, files, &row.source, &made.source, time).await?
                else {
                    return Ok(Ended::Changed);
                };
                self.summarize(&made, text).await
            }
        }
    }

    async fn summarize(&self, made: &Made, text: Text) -> Result<Ended, HandlerError> {
        let Text {
            text,
            truncated,
            is_markdown,
        } = text;
        let text: Arc<str> = unguarded(words(&text, is_markdown).trim()).into();
        let max_length = self.recipe.max_length;
        let (mut summary, spent) = if text.chars().nth(max_length).is_none() {
            (Summary::passthrough(&text), Spent::default())
        } else if self.provider.can_chat() {
            self.by_model(&text, is_markdown).await?
        } else {
            (extracted(Arc::clone(&text), max_length).await?, Spent::default())
        };
        summary.truncated |= truncated;
        self.write(made, &summary, &text, spent).await
    }

    /// Asks the provider, and writes into the ledger what it cost, whatever came of it.
    async fn by_model(&self, text: &str, is_markdown: bool) -> Result<(Summary, Spent), HandlerError> {
        let delivery = self.table.delivery;
        let hook = &delivery.hook;
        let model = hook.text("model");
        let map_model = hook.text("map_model").or(model);
        let mut accounts = vec![(self.account().await?, model, &self.recipe.model)];
        if map_model != model {
            accounts.push((self.account().await?, map_model, &self.recipe.map_model));
        }
        let asker = Asker::new(self.provider, hook.principal(delivery.event.user_id), self.time());
        let by_model = ByModel {
            asker: &asker,
            stage: Stage {
                asker: &asker,
                store: &self.table.context.store,
                hook: hook.id,
                tenant: delivery.event.user_id,
                model: map_model,
                identity: &self.recipe.map_model,
                progress: &self.progress,
            },
            recipe: self.recipe,
            model,
            is_markdown,
        };
        let summary = by_model.summarize(text).await;
        let mut spent = Spent::default();
        for (account, model, identity) in accounts {
            let of_model = asker.spent(model);
            spent.add(of_model);
            account
                .close(self.table.context, hook, self.provider.name(), identity, of_model)
                .await;
        }
        let summary = summary.map_err(|failed| self.verdict(&failed))?;
        Ok((summary, spent))
    }

    /// # Errors
    /// Deferred, when a budget of the tenant is used up.
    async fn account(&self) -> Result<Account, HandlerError> {
        let delivery = self.table.delivery;
        let tenant = std::iter::once(spending::tenant(delivery));
        let (account, refused) = Account::open(self.table.context, &delivery.hook, tenant).await?;
        refused.into_values().next().map_or(Ok(account), Err)
    }

    /// An attempt that has paid for parts which the next one need not pay for is not charged: a long document takes as many as
    /// it takes.
    fn verdict(&self, failed: &Failed) -> HandlerError {
        let error = match failed {
            Failed::Model(error) => verdict::of_model(error),
            Failed::Table(error) => verdict::of_table(error),
        };
        match error {
            HandlerError::Transient {
                message, retry_after, ..
            } if self.progress.load(Ordering::Acquire) => {
                let after = retry_after.unwrap_or(Duration::from_secs(1));
                HandlerError::Deferred { message, after }
            }
            other => other,
        }
    }

    async fn write(
        &self,
        made: &Made,
        summary: &Summary,
        source: &str,
        spent: Spent,
    ) -> Result<Ended, HandlerError> {
        match self.table.write(made, summary, source, spent).await? {
            true => Ok(Ended::Done),
            false => Ok(Ended::Changed),
        }
    }

    /// The time that is left of the attempt.
    fn time(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

/// What is summarised: not the metadata before it, unless there is nothing else.
fn words(text: &str, is_markdown: bool) -> &str {
    match zerodb_hooks_documents::body(text) {
        body if is_markdown && !body.trim().is_empty() => body,
        _ => text,
    }
}

/// By sentences of the text, on a thread that may be busy for a while.
async fn extracted(text: Arc<str>, max_length: usize) -> Result<Summary, HandlerError> {
    let summary =
        tokio::task::spawn_blocking(move || zerodb_hooks_english::summarize(&text, max_length)).await;
    let summary =
        summary.map_err(|_| HandlerError::transient("the summary was not made: its thread ended"))?;
    Ok(Summary {
        text: Some(summary).filter(|summary| !summary.is_empty()),
        method: Method::Extractive,
        model: Some(zerodb_hooks_lexical::MODEL.into()),
        chunks: 0,
        truncated: false,
    })
}
