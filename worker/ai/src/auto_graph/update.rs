//! Brings the graph up to date with one memory: reads, extracts, resolves its names, writes. Decides nothing about
//! attempts beyond what its errors say.

use std::time::Instant;

use serde_json::json;

use super::extraction::Extraction;
use super::names::Names;
use super::prompt;
use super::recipe::GraphRecipe;
use super::resolving::{Askers, Resolving};
use super::table::{Memory, MemoryRow};
use crate::asking::{AnswerForm, Asker, ModelQuestion};
use crate::round::Round;
use crate::spending::Spent;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::verdict;
use zerodb_hooks_providers::{Class, ProviderError, estimate_tokens};

/// Tokens of a first answer with entities and relations; a longer one is asked for again.
const EXTRACTION_TOKENS: u32 = 3000;
/// Tokens of a question beside the memory.
const OVERHEAD: usize = 1500;
/// The number of times that a memory is tried with half the size, where the model finds it too long.
const SHRINKS: usize = 3;

/// The update of one memory.
pub struct GraphUpdate<'a> {
    pub memory: &'a Memory<'a>,
    pub recipe: &'a GraphRecipe,
    pub until: Instant,
}

impl GraphUpdate<'_> {
    /// Does one round.
    ///
    /// # Errors
    /// What a delivery's failure means; see `verdict`. Safe to cancel.
    pub async fn once(&self) -> Result<Round, HandlerError> {
        let Some(row) = self.memory.read().await? else {
            self.memory.retract().await?;
            return Ok(Round::Done);
        };
        if self.is_extracted(&row) {
            return Ok(Round::Done);
        }
        let Some(text) = &row.content else {
            return Err(HandlerError::permanent(format!(
                "input_too_large: the memory has {} bytes, and at most 1048576 are read",
                row.size
            )));
        };
        let askers = self.open().await?;
        let result = self.update(&askers, &row, text).await;
        self.close(askers).await;
        result
    }

    /// # Errors
    /// Deferred, when a budget of the tenant is used up.
    async fn open(&self) -> Result<Askers<'_>, HandlerError> {
        let (context, delivery) = (self.memory.context, self.memory.delivery);
        let chat = match self.recipe.chat_model() {
            Some(model) => Some(Asker::open(context, delivery, model, self.until).await?),
            None => None,
        };
        let embedding = match &self.recipe.embedding {
            Some(embedding) => Some(Asker::open(context, delivery, embedding.named(), self.until).await?),
            None => None,
        };
        Ok(Askers { chat, embedding })
    }

    async fn close(&self, askers: Askers<'_>) {
        let (context, delivery) = (self.memory.context, self.memory.delivery);
        for asker in askers.chat.into_iter().chain(askers.embedding) {
            asker.close(context, delivery).await;
        }
    }

    async fn update(&self, askers: &Askers<'_>, row: &MemoryRow, text: &str) -> Result<Round, HandlerError> {
        let found = self
            .extract(askers.chat.as_ref(), text)
            .await?
            .about(row.subject.as_deref(), self.recipe.max_relations);
        tracing::debug!(
            entities = found.entities.len(),
            relations = found.relations.len(),
            dropped = found.dropped,
            "extracted a memory"
        );
        if found.dropped > 0 && askers.chat.is_some() {
            let hook = &self.memory.delivery.hook.name;
            tracing::info!(%hook, dropped = found.dropped, "left out what the model found and the graph cannot hold");
        }
        let resolving = Resolving {
            memory: self.memory,
            recipe: self.recipe,
            row,
            askers,
        };
        let mut names = Names::of(&found.entities);
        resolving.resolve(text, &mut names).await?;
        self.write(&resolving, &found, &names).await
    }

    fn is_extracted(&self, row: &MemoryRow) -> bool {
        row.extraction.as_ref().is_some_and(|last| {
            last.content_hash == row.content_hash
                && last.model == self.recipe.identity
                && last.prompt_version == self.recipe.version()
        })
    }

    async fn extract(&self, chat: Option<&Asker<'_>>, text: &str) -> Result<Extraction, HandlerError> {
        let most = self.recipe.max_relations;
        if text.trim().is_empty() {
            return Ok(Extraction::default());
        }
        let Some(chat) = chat else {
            let text = text.to_owned();
            let found = tokio::task::spawn_blocking(move || Extraction::by_rules(&text, most)).await;
            return found.map_err(|_| HandlerError::transient("nothing was extracted: the thread ended"));
        };
        let mut context = chat.context_tokens();
        for _ in 0..SHRINKS {
            match self.ask(chat, text, context).await {
                Err(error) if error.class == Class::InputTooLong => {
                    context = chat.context_tokens().min(context / 2);
                }
                answer => return answer.map_err(|error| of_answer(&error)),
            }
        }
        let answer = self.ask(chat, text, context).await;
        answer.map_err(|error| of_answer(&error))
    }

    /// The model's extraction from as much of the text as fits into `context` tokens.
    async fn ask(&self, chat: &Asker<'_>, text: &str, context: usize) -> Result<Extraction, ProviderError> {
        let most = self.recipe.max_relations;
        let room = context.saturating_sub(OVERHEAD).max(context / 2);
        let question = ModelQuestion {
            system: &prompt::extraction(most),
            user: &prompt::memory(beginning(text, room)),
            form: AnswerForm::Json(&prompt::extraction_schema()),
            max_tokens: EXTRACTION_TOKENS,
        };
        let answer = chat.ask(&question).await?;
        Ok(Extraction::by_model(&answer.json.unwrap_or_default(), most))
    }

    async fn write(
        &self,
        resolving: &Resolving<'_>,
        found: &Extraction,
        names: &Names<'_>,
    ) -> Result<Round, HandlerError> {
        let row = resolving.row;
        let chat = resolving.askers.chat.as_ref();
        let usage = chat.map_or_else(Spent::default, Asker::spent).usage;
        let written = json!({
            "content_hash": row.content_hash,
            "prompt_version": self.recipe.version(),
            "model": self.recipe.identity,
            "create": self.recipe.creates,
            "entities": names.written(),
            "relations": found.relations(),
            "embedding_model": self.recipe.embedding.as_ref().map(|embedding| &embedding.identity),
            "dimensions": row.dimensions,
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
        });
        let vectors = resolving.vectors(names);
        match self.memory.write(written, vectors.as_ref()).await? {
            true => Ok(Round::Done),
            false => Ok(Round::Changed),
        }
    }
}

/// The verdict for a question whose answer must be of a form. A model that declines, or has no room for its answer,
/// will do the same again.
fn of_answer(error: &ProviderError) -> HandlerError {
    match error.class {
        Class::Truncated | Class::Refused => HandlerError::Permanent {
            message: format!("{}: {error}", error.class()),
            status: error.status,
        },
        _ => verdict::of_model(error),
    }
}

/// The beginning of a text that has about so many tokens, cut between characters.
fn beginning(text: &str, tokens: usize) -> &str {
    let mut start = &text[..text.floor_char_boundary(tokens.saturating_mul(3))];
    while estimate_tokens(start) > tokens as u64 {
        start = &start[..start.floor_char_boundary(start.len() * 7 / 8)];
    }
    start
}
