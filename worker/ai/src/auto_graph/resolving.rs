//! Finds out which entities the names of a memory mean: by the graph alone, then by their vectors, then by the model.
//! It writes nothing.

use super::extraction::Named;
use super::names::Names;
use super::prompt;
use super::recipe::GraphRecipe;
use super::resolution::Candidate;
use super::table::{Memory, MemoryRow, NameVectors};
use crate::asking::{AnswerForm, Asker, ModelQuestion};
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::verdict;
use zerodb_hooks_providers::{Class, ProviderError};

/// Tokens of an answer with choices.
const CHOICE_TOKENS: u32 = 500;

/// The models of one delivery. `None` where rules extract, or names have no vectors.
pub struct Askers<'a> {
    pub chat: Option<Asker<'a>>,
    pub embedding: Option<Asker<'a>>,
}

pub struct Resolving<'a> {
    pub memory: &'a Memory<'a>,
    pub recipe: &'a GraphRecipe,
    pub row: &'a MemoryRow,
    pub askers: &'a Askers<'a>,
}

impl Resolving<'_> {
    /// Decides about all names.
    ///
    /// # Errors
    /// When the table cannot be read or the names cannot be embedded. Safe to cancel.
    pub async fn resolve(&self, text: &str, names: &mut Names<'_>) -> Result<(), HandlerError> {
        if names.is_empty() {
            return Ok(());
        }
        names.decide(self.memory.offers(names.written(), None).await?);
        self.by_vectors(names).await?;
        if let Some(chat) = &self.askers.chat {
            choose(chat, text, names).await;
        }
        Ok(())
    }

    /// The vectors of the names, as the actions take them; `None` where there are none.
    pub fn vectors(&self, names: &Names<'_>) -> Option<NameVectors<'_>> {
        let (embedding, dimensions) = (self.recipe.embedding.as_ref()?, self.row.dimensions?);
        let all = names.vectors();
        (!all.is_empty()).then_some(NameVectors {
            all,
            dimensions,
            model: &embedding.identity,
        })
    }

    async fn by_vectors(&self, names: &mut Names<'_>) -> Result<(), HandlerError> {
        let (Some(asker), Some(dimensions)) = (&self.askers.embedding, self.row.dimensions) else {
            return Ok(());
        };
        let open = names.open();
        if open.is_empty() || !self.recipe.creates {
            return Ok(());
        }
        let vectors = asker.embed(dimensions, &names.texts(&open)).await;
        names.embed(&open, vectors.map_err(|error| verdict::of_model(&error))?);
        let vectors = self.vectors(names);
        names.decide(self.memory.offers(names.written(), vectors.as_ref()).await?);
        Ok(())
    }
}

/// Asks the model about the unclear names, all at once. Where it fails twice, nothing is merged, and the new entities
/// are marked for review.
async fn choose(chat: &Asker<'_>, text: &str, names: &mut Names<'_>) {
    let unclear = names.unclear();
    if unclear.is_empty() {
        return;
    }
    let asked: Vec<(&Named, &[Candidate])> = unclear
        .iter()
        .map(|name| (name.named, name.candidates.as_slice()))
        .collect();
    let question = ModelQuestion {
        system: prompt::CHOICE,
        user: &prompt::choice(text, &asked),
        form: AnswerForm::Json(&prompt::choice_schema()),
        max_tokens: CHOICE_TOKENS,
    };
    let mut answer = chat.ask(&question).await;
    if answer.as_ref().is_err_and(is_worth_another) {
        answer = chat.ask(&question).await;
    }
    match answer {
        Ok(answer) => {
            let chosen = prompt::chosen(&answer.json.unwrap_or_default(), &asked);
            for (name, id) in unclear.iter().zip(chosen) {
                names.choose(name, id);
            }
        }
        Err(error) => {
            tracing::debug!(%error, "the model did not say which entities are meant; they are made, for review");
            unclear.iter().for_each(|name| names.mark_for_review(name));
        }
    }
}

fn is_worth_another(error: &ProviderError) -> bool {
    matches!(
        error.class,
        Class::InvalidJson | Class::NotJson | Class::EmptyAnswer | Class::ServerError
    )
}
