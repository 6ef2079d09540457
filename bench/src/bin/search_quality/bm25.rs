//! The baseline: Okapi BM25 over plain words, as Robertson and Zaragoza give it in "The Probabilistic Relevance
//! Framework: BM25 and Beyond" (2009), with the inverse document frequency of Lucene, which is never negative.
//! Words are runs of letters, digits and underscores in lower case: no stems, no stop words.

use std::collections::HashMap;

use crate::ranking::{Ranking, descending};

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// How often each word stands in each text.
pub struct Bm25 {
    /// For each word, the texts that have it and how often.
    places: HashMap<String, HashMap<usize, f64>>,
    /// The words of each text.
    lengths: Vec<f64>,
}

impl Bm25 {
    pub fn new(texts: &[String]) -> Self {
        let mut places: HashMap<String, HashMap<usize, f64>> = HashMap::new();
        let mut lengths = vec![0.0; texts.len()];
        for (text, length) in lengths.iter_mut().enumerate() {
            for word in words(&texts[text]) {
                *places.entry(word).or_default().entry(text).or_default() += 1.0;
                *length += 1.0;
            }
        }
        Self { places, lengths }
    }

    /// The texts that have a word of the query, best first.
    pub fn ranking(&self, query: &str) -> Ranking {
        let texts = self.lengths.len() as f64;
        let mean = self.lengths.iter().sum::<f64>() / texts;
        let mut scores: HashMap<usize, f64> = HashMap::new();
        for places in words(query).filter_map(|word| self.places.get(&word)) {
            let with = places.len() as f64;
            let rarity = (1.0 + (texts - with + 0.5) / (with + 0.5)).ln();
            for (&text, times) in places {
                let norm = K1 * (1.0 - B + B * self.lengths[text] / mean);
                *scores.entry(text).or_default() += rarity * times * (K1 + 1.0) / (times + norm);
            }
        }
        descending(scores)
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rare_word_in_a_short_text_counts_more() {
        let texts = [
            "the vacuum and the table",
            "the table of the long and winding text",
            "the end",
        ];
        let index = Bm25::new(&texts.map(str::to_owned));
        assert_eq!(index.ranking("vacuum TABLE"), [0, 1]);
        assert_eq!(index.ranking("the end"), [2, 0, 1]);
        assert!(index.ranking("unknown").is_empty());
    }
}
