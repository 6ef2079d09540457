//! Brings the summary of one row up to date, from its source to the write-back. Decides nothing about attempts beyond
//! what its errors say.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use zerodb_hooks_documents::unguarded;

use super::by_model::ByModel;
use super::parts::{PartSummaries, SummaryError};
use super::recipe::{SummaryBasis, SummaryNeed, SummaryRecipe};
use super::summary::{Summary, SummaryMethod};
use super::table::SummaryTable;
use crate::asking::{Asker, NamedModel};
use crate::round::Round;
use crate::source::{Files, Text, read_text};
use crate::spending::Spent;
use zerodb_hooks_contract::hooks::AutoSummarize;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::verdict;
use zerodb_hooks_providers::Provider;

/// The update of one row.
pub struct SummaryUpdate<'a> {
    pub table: SummaryTable<'a>,
    pub provider: &'a Provider,
    pub config: &'a AutoSummarize,
    pub recipe: &'a SummaryRecipe,
    pub until: Instant,
    /// Something was paid for and kept: a later attempt has less to do.
    pub progress: AtomicBool,
}

impl SummaryUpdate<'_> {
    /// Does one round. A row that is gone needs nothing.
    ///
    /// # Errors
    /// What a delivery's failure means; see `verdict`. Safe to cancel.
    pub async fn once(&self, files: &Files) -> Result<Round, HandlerError> {
        let Some(row) = self.table.read().await? else {
            return Ok(Round::Done);
        };
        match self.recipe.need(&row)? {
            SummaryNeed::Nothing => Ok(Round::Done),
            SummaryNeed::Clear(basis) => {
                let nothing = Summary::passthrough("");
                self.write(&basis, &nothing, "", Spent::default()).await
            }
            SummaryNeed::Make(basis) => {
                let time = self.time();
                match read_text(&self.table, files, &row.source, &basis.source, time).await? {
                    Some(text) => self.summarize(&basis, text).await,
                    None => Ok(Round::Changed),
                }
            }
        }
    }

    async fn summarize(&self, basis: &SummaryBasis, text: Text) -> Result<Round, HandlerError> {
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
        self.write(basis, &summary, &text, spent).await
    }

    /// Asks the provider, and writes into the ledger what it cost, whether it answered or not.
    async fn by_model(&self, text: &str, is_markdown: bool) -> Result<(Summary, Spent), HandlerError> {
        let (context, delivery) = (self.table.context, self.table.delivery);
        let (model, map_model) = self.models();
        let asker = Asker::open(context, delivery, model, self.until).await?;
        let map_asker = if map_model.name == model.name {
            None
        } else {
            Some(Asker::open(context, delivery, map_model, self.until).await?)
        };
        let by_model = ByModel {
            asker: &asker,
            parts: PartSummaries {
                asker: map_asker.as_ref().unwrap_or(&asker),
                store: &context.store,
                hook: delivery.hook.id,
                tenant: delivery.event.user_id,
                identity: &self.recipe.map_model,
                progress: &self.progress,
            },
            recipe: self.recipe,
            is_markdown,
        };
        let summary = by_model.summarize(text).await;
        let mut spent = asker.close(context, delivery).await;
        if let Some(map_asker) = map_asker {
            spent.add(map_asker.close(context, delivery).await);
        }
        let summary = summary.map_err(|error| self.verdict(&error))?;
        Ok((summary, spent))
    }

    /// The model of the document's summary, and the one of its parts.
    fn models(&self) -> (NamedModel<'_>, NamedModel<'_>) {
        let model = NamedModel {
            provider: self.provider,
            name: self.config.model.as_deref(),
            identity: &self.recipe.model,
        };
        let map_model = NamedModel {
            name: self.config.map_model.as_deref().or(model.name),
            identity: &self.recipe.map_model,
            ..model
        };
        (model, map_model)
    }

    /// An attempt that has paid for parts which the next one need not pay for is not charged: a long document takes as
    /// many as it takes.
    fn verdict(&self, error: &SummaryError) -> HandlerError {
        let error = match error {
            SummaryError::Model(error) => verdict::of_model(error),
            SummaryError::Table(error) => verdict::of_table(error),
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
        basis: &SummaryBasis,
        summary: &Summary,
        source: &str,
        spent: Spent,
    ) -> Result<Round, HandlerError> {
        match self.table.write(basis, summary, source, spent).await? {
            true => Ok(Round::Done),
            false => Ok(Round::Changed),
        }
    }

    /// The time that is left of the attempt.
    fn time(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

/// The part of a text that is summarised: without the metadata before it, unless there is nothing else.
fn words(text: &str, is_markdown: bool) -> &str {
    match zerodb_hooks_documents::body(text) {
        body if is_markdown && !body.trim().is_empty() => body,
        _ => text,
    }
}

/// A summary of sentences of the text, made on a thread that may be busy for a while.
async fn extracted(text: Arc<str>, max_length: usize) -> Result<Summary, HandlerError> {
    let summary =
        tokio::task::spawn_blocking(move || zerodb_hooks_english::summarize(&text, max_length)).await;
    let summary =
        summary.map_err(|_| HandlerError::transient("the summary was not made: its thread ended"))?;
    Ok(Summary {
        text: Some(summary).filter(|summary| !summary.is_empty()),
        method: SummaryMethod::Extractive,
        model: Some(zerodb_hooks_lexical::MODEL.into()),
        chunks: 0,
        truncated: false,
    })
}
