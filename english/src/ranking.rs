//! Owns the ranks of sentences: TextRank. It must not choose or print sentences.
//!
//! R. Mihalcea and P. Tarau, "TextRank: Bringing Order into Texts", EMNLP 2004; as the weight of an edge the cosine of
//! tf-idf vectors of stems (G. Erkan and D. Radev, "LexRank", JAIR 22, 2004). The graph is complete but never written
//! down: with V the matrix of the unit vectors its weights are V·Vᵀ without the diagonal, so one step of the power
//! iteration takes time linear in the words, not in the pairs of sentences.

use std::collections::HashMap;

use zerodb_hooks_lexical::stems::stem_into;
use zerodb_hooks_lexical::words::{fold, weight, words};

/// Words of a sentence beyond these are not read; sentences of real texts are shorter.
const WORDS: usize = 200;
const DAMPING: f32 = 0.85;
const ITERATIONS: usize = 50;
const PRECISION: f32 = 1e-5;

/// Sentences as sparse vectors of length 1 (or empty), sorted by term.
pub(crate) struct SimilarityGraph {
    sentences: Vec<Vec<(u32, f32)>>,
    terms: usize,
}

impl SimilarityGraph {
    pub fn of<'a>(sentences: impl Iterator<Item = &'a str>) -> Self {
        let mut ids = HashMap::new();
        let mut counted: Vec<Vec<(u32, f32)>> = sentences
            .map(|sentence| term_counts(sentence, &mut ids))
            .collect();
        let mut occurs_in = vec![0.0_f32; ids.len()];
        for (term, _) in counted.iter().flatten() {
            occurs_in[*term as usize] += 1.0;
        }
        let all = counted.len() as f32;
        for sentence in &mut counted {
            for (term, count) in sentence.iter_mut() {
                *count *= (1.0 + all / occurs_in[*term as usize]).ln();
            }
            let length = sentence
                .iter()
                .map(|(_, weight)| weight * weight)
                .sum::<f32>()
                .sqrt();
            sentence.iter_mut().for_each(|(_, weight)| *weight /= length);
        }
        SimilarityGraph {
            sentences: counted,
            terms: ids.len(),
        }
    }

    /// The cosine of two sentences, 0 to 1.
    pub fn similarity(&self, left: usize, right: usize) -> f32 {
        let (mut left, mut right) = (self.sentences[left].as_slice(), self.sentences[right].as_slice());
        let mut sum = 0.0;
        while let ([(term, weight), rest @ ..], [(other_term, other), other_rest @ ..]) = (left, right) {
            match term.cmp(other_term) {
                std::cmp::Ordering::Less => left = rest,
                std::cmp::Ordering::Greater => right = other_rest,
                std::cmp::Ordering::Equal => {
                    sum += weight * other;
                    (left, right) = (rest, other_rest);
                }
            }
        }
        sum
    }

    /// The rank of each sentence; they add up to about 1. The beginning of a text is where a reader starts again, a
    /// little more often than elsewhere: authors say first what matters.
    pub fn ranks(&self) -> Vec<f32> {
        let count = self.sentences.len();
        let mut starts: Vec<f32> = (0..count).map(|place| 1.0 + 1.0 / (place + 1) as f32).collect();
        let total: f32 = starts.iter().sum();
        starts.iter_mut().for_each(|start| *start /= total);
        let degrees = self.times_weights(&vec![1.0; count]);
        let mut ranks = starts.clone();
        for _ in 0..ITERATIONS {
            let given: Vec<f32> = ranks
                .iter()
                .zip(&degrees)
                .map(|(rank, degree)| if *degree > 1e-6 { rank / degree } else { 0.0 })
                .collect();
            let received = self.times_weights(&given);
            let next: Vec<f32> = starts
                .iter()
                .zip(&received)
                .map(|(start, received)| (1.0 - DAMPING) * start + DAMPING * received)
                .collect();
            let change: f32 = ranks.iter().zip(&next).map(|(old, new)| (old - new).abs()).sum();
            ranks = next;
            if change < PRECISION {
                break;
            }
        }
        ranks
    }

    /// The matrix of edge weights times `vector`.
    fn times_weights(&self, vector: &[f32]) -> Vec<f32> {
        let mut by_term = vec![0.0; self.terms];
        for (sentence, factor) in self.sentences.iter().zip(vector) {
            for (term, weight) in sentence {
                by_term[*term as usize] += weight * factor;
            }
        }
        let product = self.sentences.iter().zip(vector).map(|(sentence, own)| {
            let sum: f32 = sentence
                .iter()
                .map(|(term, weight)| weight * by_term[*term as usize])
                .sum();
            // A sentence has no edge to itself, and rounding must not make a weight negative.
            if sentence.is_empty() {
                0.0
            } else {
                (sum - own).max(0.0)
            }
        });
        product.collect()
    }
}

/// The count of each stem in a sentence, sorted by its number in `ids`.
fn term_counts(sentence: &str, ids: &mut HashMap<String, u32>) -> Vec<(u32, f32)> {
    let folded = fold(sentence);
    let mut terms = Vec::new();
    let mut stem = String::new();
    let mut count = |term: &str| {
        let next = ids.len() as u32;
        terms.push(match ids.get(term) {
            Some(id) => *id,
            None => *ids.entry(term.to_owned()).or_insert(next),
        });
    };
    for word in words(&folded).take(WORDS) {
        if word.unspaced {
            let starts: Vec<usize> = word
                .text
                .char_indices()
                .map(|(at, _)| at)
                .chain([word.text.len()])
                .take(WORDS)
                .collect();
            starts
                .windows(3)
                .for_each(|two| count(&word.text[two[0]..two[2]]));
        } else if weight(word.text) > 0.0 {
            stem_into(word.text, &mut stem);
            count(&stem);
        }
    }
    terms.sort_unstable();
    terms
        .chunk_by(|left, right| left == right)
        .map(|same| (same[0], same.len() as f32))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: [&str; 4] = [
        "The database stores events in a log.",
        "Workers read events from the log of the database.",
        "The weather was nice.",
        "Each worker writes its results to the database.",
    ];

    #[test]
    fn what_others_repeat_ranks_above_what_stands_alone() {
        let ranks = SimilarityGraph::of(TEXT.into_iter()).ranks();
        assert!(ranks[1] > ranks[2] * 2.0 && ranks[3] > ranks[2], "{ranks:?}");
        assert!(ranks.iter().all(|rank| rank.is_finite() && *rank > 0.0));
    }

    /// The product with the unwritten matrix must be the one with the written matrix.
    #[test]
    fn the_implicit_graph_is_the_explicit_one() {
        let graph = SimilarityGraph::of(TEXT.into_iter());
        let vector = [0.1, 0.4, 0.2, 0.3];
        let product = graph.times_weights(&vector);
        for (row, implicit) in product.into_iter().enumerate() {
            let written: f32 = (0..4)
                .filter(|other| *other != row)
                .map(|other| graph.similarity(row, other) * vector[other])
                .sum();
            assert!(
                (written - implicit).abs() < 1e-5,
                "row {row}: {written} and {implicit}"
            );
        }
    }

    #[test]
    fn no_sentences_and_empty_ones_do_no_harm() {
        assert!(SimilarityGraph::of([].into_iter()).ranks().is_empty());
        let graph = SimilarityGraph::of(["", "!!", "the of"].into_iter());
        assert!(graph.ranks().iter().all(|rank| rank.is_finite()));
        assert_eq!(graph.similarity(0, 1), 0.0);
    }
}
