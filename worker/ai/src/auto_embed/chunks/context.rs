//! The hook, the models and the files that the texts of one table and tenant are embedded with.

use super::super::recipe::EmbedRecipe;
use super::super::scope::Scope;
use super::learned::LearnedLengths;
use crate::source::Files;
use zerodb_hooks_providers::Provider;

pub struct ChunkContext<'a> {
    pub scope: Scope<'a>,
    pub provider: &'a Provider,
    pub recipe: &'a EmbedRecipe,
    pub files: &'a Files,
    pub learned: &'a LearnedLengths,
}

impl ChunkContext<'_> {
    /// The tokens of one input that the model takes, as far as is known by now.
    pub fn input_tokens(&self) -> usize {
        let model = self.scope.config.model.as_deref();
        self.provider.pack_limits(model).input_tokens
    }
}
