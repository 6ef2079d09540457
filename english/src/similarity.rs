//! Owns how alike two names look. It must not decide whether they are one entity, and must not normalise names: the
//! form in which they are compared is SQL's `zerodb._norm_name`.

use std::collections::HashMap;

/// Shannon entropy, in bits a character, below which a name repeats itself too much to be matched by likeness.
const LEAST_ENTROPY: f32 = 1.5;
const LEAST_LENGTH: usize = 6;

/// Jaccard similarity of the sets of trigrams of two strings, 0 to 1, as given (no folding). Each string has two spaces
/// before it and one after it, as in `pg_trgm`, but is one word with its spaces. Two equal strings give 1, two empty
/// ones too.
pub fn trigram_similarity(a: &str, b: &str) -> f32 {
    let (a, b) = (trigrams(a), trigrams(b));
    let (mut common, mut left, mut right) = (0, a.as_slice(), b.as_slice());
    while let ([first, rest @ ..], [other, other_rest @ ..]) = (left, right) {
        match first.cmp(other) {
            std::cmp::Ordering::Less => left = rest,
            std::cmp::Ordering::Greater => right = other_rest,
            std::cmp::Ordering::Equal => {
                common += 1;
                (left, right) = (rest, other_rest);
            }
        }
    }
    common as f32 / (a.len() + b.len() - common) as f32
}

/// The distinct trigrams, sorted; at least one.
fn trigrams(text: &str) -> Vec<[char; 3]> {
    let padded: Vec<char> = [' ', ' '].into_iter().chain(text.chars()).chain([' ']).collect();
    let mut trigrams: Vec<[char; 3]> = padded
        .windows(3)
        .map(|three| [three[0], three[1], three[2]])
        .collect();
    trigrams.sort_unstable();
    trigrams.dedup();
    trigrams
}

/// Whether a name tells enough to be matched by likeness at all: 6 characters or two words, and an entropy of its
/// characters of at least 1.5 bits. "Al" and "aaaaaaa" do not.
pub fn is_fuzzy_matchable(name: &str) -> bool {
    let long = name.chars().nth(LEAST_LENGTH - 1).is_some() || name.split_whitespace().nth(1).is_some();
    long && entropy(name) >= LEAST_ENTROPY
}

fn entropy(text: &str) -> f32 {
    let mut counts: HashMap<char, u32> = HashMap::new();
    let mut all = 0.0_f32;
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        *counts.entry(c).or_default() += 1;
        all += 1.0;
    }
    let mut counts: Vec<u32> = counts.into_values().collect();
    // The order of a sum of floats counts, and that of a map is another each time.
    counts.sort_unstable();
    counts
        .into_iter()
        .map(|count| count as f32 / all)
        .map(|share| -share * share.log2())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_is_the_share_of_common_trigrams() {
        assert_eq!(trigram_similarity("alice", "alice"), 1.0);
        assert_eq!(trigram_similarity("", ""), 1.0);
        assert_eq!(trigram_similarity("alice", "robot"), 0.0);
        // "  a" " ab" "abc" "bc " and "  a" " ab" "abd" "bd ": 2 of 6.
        assert_eq!(trigram_similarity("abc", "abd"), 2.0 / 6.0);
        assert_eq!(trigram_similarity("abc", "abd"), trigram_similarity("abd", "abc"));
    }

    #[test]
    fn a_slip_of_the_pen_in_a_long_name_stays_near() {
        let near = trigram_similarity(
            "international business machines",
            "international busines machines",
        );
        assert!(near >= 0.9, "{near}");
        assert!(trigram_similarity("alice miller", "alina miller") < 0.9);
    }

    #[test]
    fn names_that_tell_little_are_not_matched_by_likeness() {
        for name in ["", "Al", "Alice", "aaaaaaaa", "a a", "xx xx"] {
            assert!(!is_fuzzy_matchable(name), "{name}");
        }
        for name in ["Postgres", "Al Bo", "Alice M", "東京 大学 病院"] {
            assert!(is_fuzzy_matchable(name), "{name}");
        }
    }
}
