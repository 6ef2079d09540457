//! Brings the chunks of one row up to date: reads its source, cuts the text, embeds the chunks that are new, writes
//! them. Decides nothing about attempts beyond what its errors say.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zerodb_hooks_documents::ChunkOptions;

use super::super::embedded::{CHANGED, Effect};
use super::chunked_text::{ChunkedText, hash_of_all};
use super::context::ChunkContext;
use super::embedding::{ChunkEmbedding, EmbeddedChunks};
use super::plan;
use super::table::{ChunkTable, ChunkedRow};
use crate::row_key::Key;
use crate::source::read_text;
use crate::spending::Spent;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::verdict;
use zerodb_hooks_providers::TokenCounter;

/// The wait before the rest of a text that has been embedded in part.
const SOON: Duration = Duration::from_secs(1);
/// The number of times that a text is cut, because a refusal taught how much its model takes.
const CUTS: usize = 4;
/// Chunks at fault that an error names.
const NAMED: usize = 5;

/// The update of one row.
pub struct ChunkUpdate<'a> {
    pub context: &'a ChunkContext<'a>,
    pub key: &'a Key,
    pub until: Instant,
}

/// A text that is to be cut.
struct SourceText {
    text: Arc<str>,
    is_markdown: bool,
}

impl ChunkUpdate<'_> {
    /// Brings the chunks of the row up to date; adds to `spent`, also when it fails.
    ///
    /// # Errors
    /// What a delivery's failure means; see `verdict`.
    pub async fn embed(&self, spent: &mut Spent) -> Result<Effect, HandlerError> {
        for _round in 0..verdict::ROUNDS {
            if let Some(effect) = self.once(spent).await? {
                return Ok(effect);
            }
        }
        Err(verdict::source_changing(CHANGED))
    }

    /// `None` when the row changed meanwhile.
    async fn once(&self, spent: &mut Spent) -> Result<Option<Effect>, HandlerError> {
        let Some(row) = self.table().read().await? else {
            return Ok(Some(Effect::Nothing));
        };
        let source = row.source.readable()?;
        let counter = self.context.provider.token_counter(self.time()).await;
        let counter = counter.map_err(|error| verdict::of_model(&error))?;
        let options = self.options(counter.as_ref());
        if is_embedded(&row, source, &self.hash(&row, source, &options)) {
            return Ok(Some(Effect::Nothing));
        }
        let Some(text) = self.text(&row, source).await? else {
            return Ok(None);
        };
        self.embed_text(&row, source, text, counter.as_ref(), spent).await
    }

    /// Cuts and embeds the text. Where a refusal says how much the model takes, the text is cut anew by that, as the
    /// next attempt would do.
    async fn embed_text(
        &self,
        row: &ChunkedRow,
        source: &str,
        text: SourceText,
        counter: Option<&TokenCounter>,
        spent: &mut Spent,
    ) -> Result<Option<Effect>, HandlerError> {
        let mut embedding = ChunkEmbedding::new(self.context, counter, &row.chunks, self.until);
        let mut options = self.options(counter);
        for _cut in 0..CUTS {
            let markdown = text.is_markdown;
            let cut = self.cut(&text.text, ChunkOptions { markdown, ..options }, counter.cloned());
            embedding.input_tokens = self.context.input_tokens();
            let embedded = embedding.embed(&cut.await?, spent).await;
            let taught = self.options(counter);
            if taught == options || embedded.late.is_some() {
                let hash = self.hash(row, source, &options);
                return self.write(source, &hash, embedded).await;
            }
            options = taught;
        }
        Err(HandlerError::transient(
            "the model takes less and less in one input",
        ))
    }

    fn table(&self) -> ChunkTable<'_> {
        ChunkTable {
            scope: self.context.scope,
            key: self.key,
            model: &self.context.recipe.model,
        }
    }

    fn hash(&self, row: &ChunkedRow, source: &str, options: &ChunkOptions) -> String {
        hash_of_all(source, &row.source, options, self.context.recipe)
    }

    fn options(&self, counter: Option<&TokenCounter>) -> ChunkOptions {
        let config = self.context.scope.config;
        plan::options(config, self.context.input_tokens(), counter.is_some())
    }

    /// Cuts on a thread that may be busy for a while.
    async fn cut(
        &self,
        text: &Arc<str>,
        options: ChunkOptions,
        counter: Option<TokenCounter>,
    ) -> Result<ChunkedText, HandlerError> {
        let (text, recipe) = (Arc::clone(text), self.context.recipe.clone());
        let cut =
            tokio::task::spawn_blocking(move || ChunkedText::of(text, &options, &recipe, counter.as_ref()));
        cut.await
            .map_err(|_| HandlerError::transient("the text was not cut: its thread ended"))
    }

    /// `None` when the row changed meanwhile.
    async fn text(&self, row: &ChunkedRow, source: &str) -> Result<Option<SourceText>, HandlerError> {
        if source.is_empty() {
            return Ok(Some(SourceText {
                text: "".into(),
                is_markdown: false,
            }));
        }
        let files = self.context.files;
        let text = read_text(&self.table(), files, &row.source, source, self.time()).await?;
        Ok(text.map(|text| SourceText {
            text: text.text.into(),
            is_markdown: text.is_markdown,
        }))
    }

    /// Writes what there is, if there is any; says why the rest waits or can never be embedded.
    async fn write(
        &self,
        source: &str,
        hash: &str,
        embedded: EmbeddedChunks,
    ) -> Result<Option<Effect>, HandlerError> {
        if let (Some(late), true) = (&embedded.late, embedded.vectors.is_empty()) {
            return Err(late.clone());
        }
        if !self.table().write(source, hash, &embedded).await? {
            return Ok(None);
        }
        match embedded.late {
            Some(late) => Err(deferred(late)),
            None => faulty(&embedded.faults).map_or(Ok(Some(Effect::Vectors)), Err),
        }
    }

    fn time(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

/// True where all chunks of the row are there. Chunks that somebody has taken away come back.
fn is_embedded(row: &ChunkedRow, source: &str, hash: &str) -> bool {
    if source.is_empty() {
        row.chunks.is_empty()
    } else {
        row.hash.as_deref() == Some(hash) && !row.chunks.is_empty()
    }
}

/// The error for chunks that the model will never take: the reason of the first, and the numbers of all.
fn faulty(faults: &HashMap<usize, HandlerError>) -> Option<HandlerError> {
    let mut places: Vec<usize> = faults.keys().copied().collect();
    places.sort_unstable();
    let HandlerError::Permanent { message, status } = faults.get(places.first()?)? else {
        return None;
    };
    let named: Vec<String> = places.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match places.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let chunks = if places.len() == 1 { "chunk" } else { "chunks" };
    Some(HandlerError::Permanent {
        message: format!(
            "{message} (in {chunks} {}{more}; the others are embedded)",
            named.join(", ")
        ),
        status: *status,
    })
}

/// An attempt that has paid for chunks which the next one need not pay for is not charged.
fn deferred(late: HandlerError) -> HandlerError {
    match late {
        HandlerError::Transient {
            message, retry_after, ..
        } => HandlerError::Deferred {
            message,
            after: retry_after.unwrap_or(SOON),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_at_fault_are_named() {
        let faults = |places: &[usize]| {
            let fault = |place: &usize| (*place, HandlerError::permanent(format!("bad_request: {place}")));
            faulty(&places.iter().map(fault).collect()).map(|error| error.to_string())
        };
        assert_eq!(faults(&[]), None);
        assert_eq!(
            faults(&[3]).as_deref(),
            Some("bad_request: 3 (in chunk 3; the others are embedded)")
        );
        assert_eq!(
            faults(&[9, 3, 5, 4, 8, 6, 7]).as_deref(),
            Some("bad_request: 3 (in chunks 3, 4, 5, 6, 7 and 2 more; the others are embedded)")
        );
    }
}
