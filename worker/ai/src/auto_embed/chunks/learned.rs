//! The lengths that models have refused, so that the next text is cut smaller from the start. In memory only: after a
//! restart they are learned anew. The chunks of a text are the same either way, because a chunk that is too long is
//! always cut into the same halves.

use std::collections::HashMap;

use parking_lot::Mutex;

use zerodb_hooks_documents::{dense_tokens, estimated_tokens};

/// Steps of density, from prose to a token for each byte. A table of numbers that was refused says nothing of a letter.
const DENSITIES: usize = 13;
/// The most models of which lengths are kept.
const MODELS: usize = 1000;

/// A provider and a model of it.
type ProviderModel = (String, String);

#[derive(Default)]
pub struct LearnedLengths(Mutex<HashMap<ProviderModel, [Option<usize>; DENSITIES]>>);

impl LearnedLengths {
    /// True where a model has refused texts as long and as dense as this one.
    pub fn is_too_long(&self, provider: &str, model: &str, text: &str) -> bool {
        let known = self.0.lock();
        let of_model = known.get(&(provider.to_owned(), model.to_owned()));
        of_model
            .and_then(|most| most[density(text)])
            .is_some_and(|most| estimated_tokens(text) > most)
    }

    /// The model has refused this text. Texts that are an eighth shorter are not known to be too long.
    pub fn refused(&self, provider: &str, model: &str, text: &str) {
        let mut known = self.0.lock();
        if known.len() >= MODELS {
            known.clear();
        }
        let of_model = known.entry((provider.to_owned(), model.to_owned())).or_default();
        let tokens = estimated_tokens(text);
        let most = &mut of_model[density(text)];
        *most = Some(most.unwrap_or(usize::MAX).min(tokens - tokens / 8));
    }
}

/// A token for each three bytes is 4.
fn density(text: &str) -> usize {
    let prose = text.len().div_ceil(3).max(1);
    (4 * dense_tokens(text) / prose).min(DENSITIES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_makes_texts_as_dense_too_long_for_that_model() {
        let learned = LearnedLengths::default();
        let numbers: String = (0..100).map(|n| format!("{n}.{},{}\n", n * 7, n * 77)).collect();
        let prose = "The office opens at nine on Mondays. ".repeat(60);
        assert!(!learned.is_too_long("p", "m", &numbers));
        learned.refused("p", "m", &numbers);
        assert!(learned.is_too_long("p", "m", &numbers));
        assert!(!learned.is_too_long("p", "m", &numbers[..numbers.len() * 3 / 4]));
        assert!(!learned.is_too_long("p", "m", &prose), "it is not as dense");
        assert!(!learned.is_too_long("p", "n", &numbers) && !learned.is_too_long("q", "m", &numbers));
        learned.refused("p", "m", &numbers[..numbers.len() / 2]);
        assert!(learned.is_too_long("p", "m", &numbers[..numbers.len() / 2]));
    }
}
