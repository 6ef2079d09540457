//! Texts into requests, and requests into vectors: packs by the provider's limits, splits what it refuses until the text at
//! fault is alone, and says for every text what became of it. Knows no table.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

pub use crate::handlers::verdict::{UNTIL_CHANGED, of_model as verdict};
use crate::outcome::HandlerError;
use crate::providers::{Advice, EmbedRequest, PackLimits, Provider, ProviderError, Usage, estimate_tokens};

/// What requests cost.
#[derive(Debug, Default, Clone, Copy)]
pub struct Spent {
    pub requests: u64,
    pub inputs: u64,
    pub usage: Usage,
}

impl Spent {
    pub fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.inputs += other.inputs;
        self.usage = self.usage.plus(other.usage);
    }
}

/// For every text, its vector or what is wrong.
pub struct Answered {
    pub vectors: Vec<Result<Vec<f32>, HandlerError>>,
    pub spent: Spent,
}

/// Embeds `texts` within `time`. Safe to cancel; what was sent may then be paid.
pub async fn embed(
    provider: &Provider,
    model: Option<&str>,
    dimensions: Option<usize>,
    texts: &[String],
    time: Duration,
) -> Answered {
    let until = Instant::now() + time;
    let mut answers: Vec<Option<Result<Vec<f32>, HandlerError>>> = texts.iter().map(|_| None).collect();
    let mut spent = Spent::default();
    let mut open: VecDeque<Range<usize>> = packs(texts, &provider.pack_limits(model)).into();
    while let Some(range) = open.pop_front() {
        let request = EmbedRequest {
            model,
            dimensions,
            inputs: &texts[range.clone()],
        };
        spent.requests += 1;
        let left = until.saturating_duration_since(Instant::now());
        match provider.embed(&request, left).await {
            Ok(embeddings) => {
                spent.inputs += range.len() as u64;
                spent.usage = spent.usage.plus(embeddings.usage);
                for (place, vector) in range.zip(embeddings.vectors) {
                    answers[place] = Some(Ok(vector));
                }
            }
            Err(error) => {
                let parts = parts(&range, &error);
                if parts.is_empty() {
                    let ends = ends_all(&error);
                    let failed = if ends { range.start..texts.len() } else { range };
                    for place in failed {
                        answers[place].get_or_insert_with(|| Err(verdict(&error)));
                    }
                    if ends {
                        break;
                    }
                }
                parts.into_iter().rev().for_each(|part| open.push_front(part));
            }
        }
    }
    let missing = || {
        Err(HandlerError::transient(
            "timeout: the time of the attempt ended before this text's turn",
        ))
    };
    Answered {
        vectors: answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(missing))
            .collect(),
        spent,
    }
}

/// Neighbours together, as many as one request takes. A text that is too long by the estimate still gets its chance, alone.
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

/// The smaller requests to send instead of one that was refused; none when smaller ones would not help.
fn parts(range: &Range<usize>, error: &ProviderError) -> Vec<Range<usize>> {
    if range.len() < 2 {
        return Vec::new();
    }
    let half = range.len().div_ceil(2);
    let size = match error.advice {
        Advice::SplitBatch { most } => most.unwrap_or(half).clamp(1, half),
        Advice::ItemsAtFault => half,
        _ => return Vec::new(),
    };
    let starts = range.clone().step_by(size);
    starts.map(|start| start..(start + size).min(range.end)).collect()
}

/// True when the texts that follow would fare the same.
fn ends_all(error: &ProviderError) -> bool {
    !matches!(error.advice, Advice::ItemsAtFault | Advice::SplitBatch { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::Class;

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

    /// As many requests as it takes to find one bad text, by the search of `embed`.
    fn requests_to_find(bad: usize, count: usize) -> usize {
        let error = ProviderError::new("p", Class::BadRequest, Advice::ItemsAtFault, "no");
        let (mut open, mut requests) = (vec![0..count], 0);
        while let Some(range) = open.pop() {
            requests += 1;
            if range.contains(&bad) {
                open.extend(parts(&range, &error));
            }
        }
        requests
    }

    #[test]
    fn one_bad_text_in_2048_is_found_in_23_requests() {
        for bad in [0, 1, 1023, 1024, 2047] {
            assert!(requests_to_find(bad, 2048) <= 23);
        }
    }

    #[test]
    fn a_batch_that_is_too_large_is_cut_to_what_was_named() {
        let error = |most| ProviderError::new("p", Class::BatchTooLarge, Advice::SplitBatch { most }, "no");
        assert_eq!(parts(&(10..20), &error(Some(4))), [10..14, 14..18, 18..20]);
        assert_eq!(parts(&(0..5), &error(None)), [0..3, 3..5]);
        assert!(parts(&(3..4), &error(Some(1))).is_empty());
    }
}
