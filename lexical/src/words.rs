//! Owns how text becomes words: folding, splitting, and which words say little. It must not stem, weigh or hash them.
//!
//! The splitting is this crate's own and not that of Unicode's Annex 29, whose rules change between versions of
//! Unicode: an embedding must stay the same for years.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A maximal run of letters and digits of folded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    pub text: &'a str,
    /// Start, in bytes of the folded text.
    pub start: usize,
    /// Whether its script writes no spaces (or glues particles on, as Korean): several words, with no bounds between.
    pub unspaced: bool,
}

/// The form in which words are compared: NFKC, lower case, without the accents of Latin, Greek and Cyrillic letters and
/// without what nobody sees.
///
/// It is not the form in which names of entities are compared; that one is SQL's `zerodb._norm_name`.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Decomposed first, so that an accent is a character of its own and can be left out.
    let plain = text.nfkd().filter(|c| !is_accent(*c) && !is_unseen(*c));
    let mut folded = String::with_capacity(text.len());
    for c in plain
        .flat_map(char::to_lowercase)
        .filter(|c| !is_accent(*c))
        .nfc()
    {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' => folded.push('d'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            other => folded.push(other),
        }
    }
    folded
}

/// The combining marks of Latin, Greek and Cyrillic. Those of other scripts are vowels and tones that tell words apart.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Soft hyphen, zero width space, word joiner and byte order mark: they say where a word may be broken, and break none.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// The words of folded text, in order.
pub fn words(folded: &str) -> impl Iterator<Item = Word<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + folded[at..].find(is_word_character)?;
        let run = &folded[start..];
        let unspaced = run.chars().next().is_some_and(is_unspaced);
        let length = run.find(|c| !continues(c, unspaced)).unwrap_or(run.len());
        at = start + length;
        Some(Word {
            text: &run[..length],
            start,
            unspaced,
        })
    })
}

fn is_word_character(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric()
    } else {
        c.is_alphanumeric()
    }
}

/// Whether `c` belongs to a word that began with a letter of an unspaced script, or with another letter or digit.
fn continues(c: char, unspaced: bool) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() && !unspaced;
    }
    // Joiners stand inside words of Persian and of Indian scripts.
    (c.is_alphanumeric() && is_unspaced(c) == unspaced)
        || is_combining_mark(c)
        || matches!(c, '\u{200c}' | '\u{200d}')
}

fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}'                             // Thai, Lao
        | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' // Burmese, Khmer
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' // Japanese
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' // Chinese characters
        | '\u{20000}'..='\u{3ffff}'
        | '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7af}') // Korean
}

/// The share that a folded word has in the topic of an English text: 0 is none, 1 is the most.
pub fn weight(word: &str) -> f32 {
    match listed(word) {
        Some(at) if at < STOP_WORDS.len() => 0.0,
        Some(_) => 0.5,
        None if word.len() == 1 => 0.5,
        None => 1.0,
    }
}

/// The place of `word` in the stop words followed by the common words. A table and no binary search: this runs for
/// every word of every text, and the search took most of the time of an embedding.
fn listed(word: &str) -> Option<usize> {
    let mut slot = slot_of(word);
    while SLOTS[slot] != EMPTY {
        let at = SLOTS[slot] as usize;
        if listed_word(at) == word {
            return Some(at);
        }
        slot = (slot + 1) % SLOTS.len();
    }
    None
}

const EMPTY: u16 = u16::MAX;

/// Open addressing, filled by the compiler; less than a third of it is in use.
static SLOTS: [u16; 1024] = {
    let mut slots = [EMPTY; 1024];
    let mut at = 0;
    while at < STOP_WORDS.len() + COMMON_WORDS.len() {
        let mut slot = slot_of(listed_word(at));
        while slots[slot] != EMPTY {
            slot = (slot + 1) % slots.len();
        }
        slots[slot] = at as u16;
        at += 1;
    }
    slots
};

const fn listed_word(at: usize) -> &'static str {
    if at < STOP_WORDS.len() {
        STOP_WORDS[at]
    } else {
        COMMON_WORDS[at - STOP_WORDS.len()]
    }
}

const fn slot_of(word: &str) -> usize {
    let bytes = word.as_bytes();
    let (mut hash, mut at) = (0x811c_9dc5_u32, 0);
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    (hash >> 22) as usize
}

/// Words that carry grammar and no topic; with the pieces that contractions leave (`don't` is `don` and `t`). Sorted.
#[rustfmt::skip]
const STOP_WORDS: &[&str] = &[
    "a", "about", "above", "after", "again", "against", "ain", "all", "also", "am", "an", "and", "any", "are",
    "aren", "as", "at", "be", "because", "been", "before", "being", "below", "between", "both", "but", "by",
    "can", "cannot", "could", "couldn", "d", "did", "didn", "do", "does", "doesn", "doing", "don", "down",
    "during", "each", "either", "etc", "for", "from", "further", "had", "hadn", "has", "hasn", "have", "haven",
    "having", "he", "her", "here", "hers", "herself", "him", "himself", "his", "how", "however", "i", "if",
    "in", "into", "is", "isn", "it", "its", "itself", "just", "ll", "m", "may", "me", "might", "more", "most",
    "must", "my", "myself", "neither", "no", "nor", "not", "now", "of", "off", "on", "once", "only", "or",
    "other", "our", "ours", "ourselves", "out", "over", "own", "re", "s", "same", "shall", "she", "should",
    "shouldn", "so", "some", "such", "t", "than", "that", "the", "their", "theirs", "them", "themselves",
    "then", "there", "these", "they", "this", "those", "through", "thus", "to", "too", "under", "until", "up",
    "upon", "us", "ve", "very", "was", "wasn", "we", "were", "weren", "what", "when", "where", "whether",
    "which", "while", "who", "whom", "whose", "why", "will", "with", "within", "without", "won", "would",
    "wouldn", "you", "your", "yours", "yourself", "yourselves",
];

/// Words found in texts about anything. Sorted.
#[rustfmt::skip]
const COMMON_WORDS: &[&str] = &[
    "already", "always", "another", "around", "back", "best", "better", "big", "came", "case", "come", "day",
    "different", "done", "even", "ever", "every", "example", "few", "find", "first", "found", "gave", "get",
    "gets", "getting", "give", "given", "go", "goes", "going", "gone", "good", "got", "great", "help", "helps",
    "keep", "kind", "know", "known", "last", "less", "let", "like", "little", "long", "look", "looking", "lot",
    "made", "make", "makes", "making", "many", "maybe", "mean", "means", "much", "need", "needed", "needs",
    "never", "new", "next", "number", "often", "old", "one", "part", "people", "please", "possible", "put",
    "really", "right", "said", "say", "says", "second", "see", "seen", "set", "several", "show", "since",
    "small", "something", "sometimes", "still", "sure", "take", "tell", "thank", "thanks", "thing", "things",
    "think", "three", "time", "times", "today", "took", "try", "two", "use", "used", "uses", "using", "usually",
    "want", "wanted", "wants", "way", "well", "went", "work", "works", "year", "years", "yes", "yet",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        words(&fold(text)).map(|word| word.text.to_owned()).collect()
    }

    #[test]
    fn every_listed_word_is_found_and_no_other() {
        for (at, word) in STOP_WORDS.iter().chain(COMMON_WORDS).enumerate() {
            assert_eq!(listed(word), Some(at), "{word} is in the lists twice, or lost");
        }
        assert_eq!(weight("the"), 0.0);
        assert_eq!(weight("work"), 0.5);
        assert_eq!(weight("x"), 0.5);
        assert_eq!(weight("database"), 1.0);
        assert_eq!(weight(""), 1.0);
    }

    #[test]
    fn folding_leaves_one_form_of_what_reads_the_same() {
        assert_eq!(fold("CAFÉ Straße ﬁne Ⅻ"), "cafe strasse fine xii");
        assert_eq!(fold("Cafe\u{301}"), fold("Café"));
        assert_eq!(
            fold("İstanbul Łódź Ørsted ΣΊΣΥΦΟΣ"),
            "istanbul lodz orsted σισυφοσ"
        );
        assert_eq!(fold("ＡＢＣ１２３"), "abc123");
        assert_eq!(
            fold("Donau\u{ad}dampf\u{200b}schiff\u{2060}fahrt"),
            "donaudampfschifffahrt"
        );
    }

    #[test]
    fn folding_keeps_marks_that_tell_words_apart() {
        assert_eq!(fold("が"), "が");
        assert_ne!(fold("が"), fold("か"));
        assert_eq!(fold("हिन्दी"), "हिन्दी");
    }

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        assert_eq!(
            split("max_length=500, re-run; don't"),
            ["max", "length", "500", "re", "run", "don", "t"]
        );
        assert_eq!(split("हिन्दी में"), ["हिन्दी", "में"]);
        assert_eq!(split("  …!? "), Vec::<String>::new());
    }

    #[test]
    fn scripts_without_spaces_are_apart_from_the_others() {
        assert_eq!(
            split("東京でPostgres18を使う"),
            ["東京で", "postgres18", "を使う"]
        );
        assert!(words("東京").all(|word| word.unspaced));
        assert!(words("tokyo").all(|word| !word.unspaced));
    }
}
