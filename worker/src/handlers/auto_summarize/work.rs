//! The summary of one row, from its key to the write-back. Decides nothing about attempts beyond what its errors say.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use super::asking::{Asker, Spent};
use super::by_model::ByModel;
use super::content::{self, Text};
use super::files::Files;
use super::plan::{Key, Plan};
use super::recipe::{Made, Need, Recipe, Row};
use super::stage::{Failed, Stage};
use super::summary::{Method, Summary};
use crate::delivery::Delivery;
use crate::handlers::{Context, verdict};
use crate::outcome::HandlerError;
use crate::providers::Provider;
use crate::store::StoreError;

/// A hook's work on one row.
pub struct Work<'a> {
    pub context: &'a Context,
    pub delivery: &'a Delivery,
    pub plan: &'a Plan,
    pub provider: &'a Provider,
    pub recipe: &'a Recipe,
    pub key: &'a Key,
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
    /// What a delivery's failure means; see `verdict`.
    pub async fn once(&self, files: &Files) -> Result<Ended, HandlerError> {
        let Some(row) = self.read().await? else {
            return Ok(Ended::Done);
        };
        match self.recipe.need(&row)? {
            Need::Nothing => Ok(Ended::Done),
            Need::Clear(made) => {
                self.write(&made, &Summary::passthrough(""), "", Spent::default())
                    .await
            }
            Need::Make(made) => {
                let Some(text) = content::text(self, files, &row, &made.source).await? else {
                    return Ok(Ended::Changed);
                };
                self.summarize(&made, text).await
            }
        }
    }

    async fn summarize(&self, made: &Made, text: Text) -> Result<Ended, HandlerError> {
        let Text { text, truncated } = text;
        let text: Arc<str> = text.trim().into();
        let asker = Asker::new(self.provider, self.time());
        let mut summary = self.condensed(&asker, &text).await?;
        summary.truncated |= truncated;
        self.write(made, &summary, &text, asker.spent()).await
    }

    async fn condensed(&self, asker: &Asker<'_>, text: &Arc<str>) -> Result<Summary, HandlerError> {
        let max_length = self.recipe.max_length;
        if text.chars().nth(max_length).is_none() {
            return Ok(Summary::passthrough(text));
        }
        if !self.provider.can_chat() {
            return extracted(Arc::clone(text), max_length).await;
        }
        let hook = &self.delivery.hook;
        let model = hook.text("model");
        let by_model = ByModel {
            asker,
            stage: Stage {
                asker,
                store: &self.context.store,
                hook: hook.id,
                tenant: self.delivery.event.user_id,
                model: hook.text("map_model").or(model),
                identity: &self.recipe.map_model,
                progress: &self.progress,
            },
            recipe: self.recipe,
            model,
        };
        let summary = by_model.summarize(text).await;
        summary.map_err(|failed| self.verdict(&failed))
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

    async fn read(&self) -> Result<Option<Row>, HandlerError> {
        let store = &self.context.store;
        let args = self.complete(json!({}));
        let found = store
            .read_summary(self.delivery.hook.id, self.delivery.event.relid, &args)
            .await;
        let found = found.map_err(|error| verdict::of_table(&error))?;
        serde_json::from_value(found)
            .map_err(|_| HandlerError::transient("the extension is of another version than this worker"))
    }

    async fn write(
        &self,
        made: &Made,
        summary: &Summary,
        text: &str,
        spent: Spent,
    ) -> Result<Ended, HandlerError> {
        let args = self.complete(json!({
            "source": made.source,
            "hash": made.hash,
            "summary": summary.text.as_ref().map(|text| text.replace('\0', "")),
            "model": summary.model,
            "info": summary.info(text, spent),
        }));
        let store = &self.context.store;
        let written = store
            .write_summary(self.delivery.hook.id, self.delivery.event.relid, &args)
            .await;
        match written.map_err(|error| verdict::of_table(&error))? {
            true => Ok(Ended::Done),
            false => Ok(Ended::Changed),
        }
    }

    pub async fn call(&self, action: &str, args: Value) -> Result<Value, StoreError> {
        let store = &self.context.store;
        let args = self.complete(args);
        store
            .as_owner(
                self.delivery.hook.id,
                self.delivery.event.relid,
                action,
                &args,
                None,
            )
            .await
    }

    /// The time that is left of the attempt.
    pub fn time(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// With what every action needs.
    fn complete(&self, mut args: Value) -> Value {
        let owner = &self.delivery.hook.user_id;
        let tenant: Option<&Uuid> = (!owner.is_nil()).then_some(owner);
        let user_id = if self.plan.tenants {
            self.delivery.event.user_id.as_ref()
        } else {
            tenant
        };
        args["plan"] = serde_json::to_value(self.plan).unwrap_or_default();
        args["key"] = json!(self.key);
        args["user_id"] = json!(user_id);
        args["tenant"] = json!(tenant);
        args
    }
}

/// By sentences of the text, on a thread that may be busy for a while.
async fn extracted(text: Arc<str>, max_length: usize) -> Result<Summary, HandlerError> {
    let summary =
        tokio::task::spawn_blocking(move || zerodb_hooks_lexical::summarize(&text, max_length)).await;
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
