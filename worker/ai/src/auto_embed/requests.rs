//! Embeds texts in requests of the size that the provider takes. A request that is refused is split until the text at
//! fault is alone; every text gets a result. Knows no table.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

use super::search::Search;
use crate::spending::Spent;
use zerodb_hooks_delivery::hook::Principal;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::verdict;
use zerodb_hooks_providers::{
    Advice, Class, EmbedRequest, Embeddings, PackLimits, Provider, ProviderError, estimate_tokens,
};

/// The vectors of texts.
pub struct TextVectors {
    /// One result for each text, in their order.
    pub vectors: Vec<Result<Vec<f32>, HandlerError>>,
    /// The class of the refusal, by the index of a text that was asked for alone.
    pub refused: HashMap<usize, Class>,
    pub spent: Spent,
}

/// Embeds `texts` for somebody, within `time`. Safe to cancel; what was sent may then be paid.
pub async fn embed(
    provider: &Provider,
    who: &Principal,
    model: Option<&str>,
    dimensions: Option<usize>,
    texts: &[String],
    time: Duration,
) -> TextVectors {
    let until = Instant::now() + time;
    let mut results = Results::new(texts.len());
    let mut search = Search::new(packs(texts, &provider.pack_limits(model)));
    while let Some(range) = search.next() {
        let request = EmbedRequest {
            who: Some(who),
            model,
            dimensions,
            inputs: &texts[range.clone()],
        };
        let left = until.saturating_duration_since(Instant::now());
        match provider.embed(&request, left).await {
            Ok(embeddings) => results.answered(range, embeddings),
            Err(error) => {
                if results.refused(&range, &error, &mut search).is_break() {
                    break;
                }
            }
        }
    }
    results.finish()
}

/// The results so far; `None` for a text that is still open.
struct Results {
    vectors: Vec<Option<Result<Vec<f32>, HandlerError>>>,
    refused: HashMap<usize, Class>,
    spent: Spent,
}

impl Results {
    fn new(count: usize) -> Self {
        Self {
            vectors: (0..count).map(|_| None).collect(),
            refused: HashMap::new(),
            spent: Spent::default(),
        }
    }

    fn answered(&mut self, range: Range<usize>, embeddings: Embeddings) {
        self.spent.add(Spent {
            requests: 1,
            inputs: range.len() as u64,
            usage: embeddings.usage,
        });
        for (index, vector) in range.zip(embeddings.vectors) {
            self.vectors[index] = Some(Ok(vector));
        }
    }

    /// Breaks where the texts that follow would fare the same; they get the same error.
    fn refused(
        &mut self,
        range: &Range<usize>,
        error: &ProviderError,
        search: &mut Search,
    ) -> ControlFlow<()> {
        self.spent.add(Spent {
            requests: 1,
            inputs: 0,
            usage: error.usage.unwrap_or_default(),
        });
        let is_found = match error.advice {
            Advice::ItemsAtFault => search.blame(range),
            Advice::SplitBatch { most } => !search.split(range, most),
            _ => {
                let open = self.vectors.iter_mut().filter(|result| result.is_none());
                open.for_each(|result| *result = Some(Err(verdict::of_model(error))));
                return ControlFlow::Break(());
            }
        };
        if is_found {
            self.refused.insert(range.start, error.class);
            self.vectors[range.start] = Some(Err(verdict::of_model(error)));
        }
        ControlFlow::Continue(())
    }

    fn finish(self) -> TextVectors {
        let missing = || {
            Err(HandlerError::transient(
                "timeout: the time of the attempt ended before this text's turn",
            ))
        };
        let vectors = self.vectors.into_iter();
        TextVectors {
            vectors: vectors.map(|result| result.unwrap_or_else(missing)).collect(),
            refused: self.refused,
            spent: self.spent,
        }
    }
}

/// Ranges of neighbours, each as long as one request takes. A text that is too long by the estimate is sent alone.
pub fn packs(texts: &[String], limits: &PackLimits) -> Vec<Range<usize>> {
    let mut packs: Vec<Range<usize>> = Vec::new();
    let mut tokens = 0;
    for (place, text) in texts.iter().enumerate() {
        let cost = usize::try_from(estimate_tokens(text)).unwrap_or(usize::MAX);
        match packs.last_mut() {
            Some(last)
                if last.len() < limits.inputs.max(1) && cost <= limits.tokens.saturating_sub(tokens) =>
            {
                last.end = place + 1;
                tokens += cost;
            }
            _ => {
                packs.push(place..place + 1);
                tokens = cost;
            }
        }
    }
    packs
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PackLimits = PackLimits {
        inputs: 3,
        tokens: 10,
        input_tokens: 10,
    };

    fn texts(lengths: &[usize]) -> Vec<String> {
        lengths.iter().map(|length| "x".repeat(length * 3)).collect()
    }

    #[test]
    fn a_request_holds_what_the_provider_takes() {
        assert_eq!(packs(&texts(&[1, 1, 1, 1]), &LIMITS), [0..3, 3..4]);
        assert_eq!(packs(&texts(&[4, 6, 1]), &LIMITS), [0..2, 2..3]);
        assert_eq!(packs(&texts(&[1, 40, 1]), &LIMITS), [0..1, 1..2, 2..3]);
        assert!(packs(&[], &LIMITS).is_empty());
    }
}
