//! `auto_embed` on texts that are longer than a model's input, and on files: a vector for each part, in a table of chunks. Reads a
//! row, cuts its text, embeds the parts that are new, and writes them; decides nothing about attempts.
//!
//! Parts that are there already are kept with their vectors. What was embedded when the time is over is kept too, so a long text
//! takes as many attempts as it takes, and pays for each part once.

mod answers;
mod document;
mod learned;
mod pieces;
mod plan;

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

pub use learned::Learned;
pub use plan::ChunkPlan;

use super::input::Recipe;
use super::rows::Embedded;
use super::target::Scope;
use crate::row_key::Key;
use crate::source::Files;
use document::Document;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_providers::Provider;
use zerodb_hooks_store::StoreError;

/// Texts of one pack at once.
const AT_ONCE: usize = 4;
/// How long a text waits whose turn did not come.
const BUSY: Duration = Duration::from_secs(1);

/// A hook's work on the texts of one table for one tenant.
pub struct Documents<'a> {
    pub scope: Scope<'a>,
    pub provider: &'a Provider,
    pub recipe: &'a Recipe,
    pub files: &'a Files,
    pub learned: &'a Learned,
}

impl Documents<'_> {
    /// Brings the chunks of some rows up to date. A row that is gone needs nothing.
    pub async fn embed(&self, keys: &[Key], time: Duration) -> Embedded {
        let until = Instant::now() + time;
        let mut embedded = Embedded::default();
        let ended = stream::iter(keys.to_vec()).map(|key| async move {
            let ended = self.one(&key, until, time / 2).await;
            (key, ended)
        });
        let mut ended = ended.buffer_unordered(AT_ONCE);
        while let Some((key, (result, spent))) = ended.next().await {
            embedded.results.insert(key, result);
            embedded.spent.add(spent);
        }
        embedded
    }

    async fn one(&self, key: &Key, until: Instant, least: Duration) -> document::Ended {
        if until.saturating_duration_since(Instant::now()) < least {
            let late = HandlerError::Deferred {
                message: "busy: other texts of the pack took the time".into(),
                after: BUSY,
            };
            return (Err(late), crate::spending::Spent::default());
        }
        let document = Document {
            documents: self,
            key,
            until,
        };
        document.embed().await
    }

    /// The keys after `after`, in their order.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn page(
        &self,
        after: Option<&Value>,
        limit: usize,
        missing: bool,
    ) -> Result<Value, StoreError> {
        let args = json!({ "after": after, "limit": limit, "missing": missing });
        self.scope.call("chunk_page", args, None).await
    }
}
