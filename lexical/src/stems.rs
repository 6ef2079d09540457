//! Owns the stems of English words, so that "deploying" and "deployment" are one. It must not look at other languages.
//!
//! The algorithm is Porter's: M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980, with one rule of
//! its later revision (a y after a vowel stays). It is written here and not taken from a crate because it must never
//! change: a stem that changed would change every embedding.

/// Puts the stem of a lower-case word into `stemmed`, which is used again for the next word. A word with anything but
/// the letters a to z, or above 40 letters, is its own stem.
pub fn stem_into(word: &str, stemmed: &mut String) {
    stemmed.clear();
    stemmed.push_str(word);
    if !(3..=40).contains(&word.len()) || !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return;
    }
    plural(stemmed);
    past_and_gerund(stemmed);
    final_y(stemmed);
    replace_longest(stemmed, DOUBLE_SUFFIXES);
    replace_longest(stemmed, SUFFIXES);
    last_suffix(stemmed);
    final_e(stemmed);
}

/// Step 1a.
fn plural(word: &mut String) {
    if word.ends_with("sses") || word.ends_with("ies") {
        word.truncate(word.len() - 2);
    } else if word.ends_with('s') && !word.ends_with("ss") {
        word.pop();
    }
}

/// Step 1b.
fn past_and_gerund(word: &mut String) {
    if let Some(rest) = word.strip_suffix("eed") {
        if measure(rest) > 0 {
            word.pop();
        }
        return;
    }
    let Some(rest) = word.strip_suffix("ed").or_else(|| word.strip_suffix("ing")) else {
        return;
    };
    if !has_vowel(rest) {
        return;
    }
    word.truncate(rest.len());
    if word.ends_with("at") || word.ends_with("bl") || word.ends_with("iz") {
        word.push('e');
    } else if ends_in_double_consonant(word) {
        if !word.ends_with(['l', 's', 'z']) {
            word.pop();
        }
    } else if measure(word) == 1 && ends_short(word) {
        word.push('e');
    }
}

/// Step 1c; after a vowel the y stays, or "deploying" and "deployment" would part.
fn final_y(word: &mut String) {
    let after_consonant = |rest: &str| has_vowel(rest) && is_consonant(rest.as_bytes(), rest.len() - 1);
    if word.strip_suffix('y').is_some_and(after_consonant) {
        word.pop();
        word.push('i');
    }
}

/// Steps 2 and 3: of the suffixes that match, only the longest counts, whether or not its stem is long enough.
fn replace_longest(word: &mut String, suffixes: &[(&str, &str)]) {
    let Some((suffix, replacement)) = suffixes.iter().find(|(suffix, _)| ends_with(word, suffix)) else {
        return;
    };
    let rest = word.len() - suffix.len();
    if measure(&word[..rest]) > 0 {
        word.truncate(rest);
        word.push_str(replacement);
    }
}

/// Step 4.
fn last_suffix(word: &mut String) {
    let Some(suffix) = LAST_SUFFIXES.iter().find(|suffix| ends_with(word, suffix)) else {
        return;
    };
    let rest = &word[..word.len() - suffix.len()];
    if measure(rest) > 1 && (*suffix != "ion" || rest.ends_with(['s', 't'])) {
        word.truncate(rest.len());
    }
}

/// Steps 5a and 5b.
fn final_e(word: &mut String) {
    if let Some(rest) = word.strip_suffix('e') {
        let measure = measure(rest);
        if measure > 1 || (measure == 1 && !ends_short(rest)) {
            word.pop();
        }
    }
    if word.ends_with("ll") && measure(word) > 1 {
        word.pop();
    }
}

/// The last letters are compared first: nearly all suffixes fail there, and this runs for every word of every text.
fn ends_with(word: &str, suffix: &str) -> bool {
    word.as_bytes().last() == suffix.as_bytes().last() && word.ends_with(suffix)
}

// Longer suffixes stand before the shorter ones that they end with.

#[rustfmt::skip]
const DOUBLE_SUFFIXES: &[(&str, &str)] = &[
    ("ational", "ate"), ("ization", "ize"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"),
    ("tional", "tion"), ("biliti", "ble"), ("entli", "ent"), ("ousli", "ous"), ("ation", "ate"),
    ("alism", "al"), ("aliti", "al"), ("iviti", "ive"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"),
    ("abli", "able"), ("alli", "al"), ("ator", "ate"), ("eli", "e"),
];

#[rustfmt::skip]
const SUFFIXES: &[(&str, &str)] = &[
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ness", ""), ("ful", ""),
];

#[rustfmt::skip]
const LAST_SUFFIXES: &[&str] = &[
    "ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ion", "ism", "ate", "iti", "ous", "ive",
    "ize", "al", "er", "ic", "ou",
];

/// Whether the letter at `at` is a consonant; `y` is one unless it follows one.
fn is_consonant(word: &[u8], at: usize) -> bool {
    match word[at] {
        b'a' | b'e' | b'i' | b'o' | b'u' => false,
        b'y' => at == 0 || !is_consonant(word, at - 1),
        _ => true,
    }
}

/// The number of times that vowels are followed by consonants: Porter's m.
fn measure(word: &str) -> usize {
    let (mut count, mut after_vowel, mut consonant) = (0, false, false);
    for (at, letter) in word.bytes().enumerate() {
        consonant = match letter {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => at == 0 || !consonant,
            _ => true,
        };
        if consonant && after_vowel {
            count += 1;
        }
        after_vowel = !consonant;
    }
    count
}

fn has_vowel(word: &str) -> bool {
    (0..word.len()).any(|at| !is_consonant(word.as_bytes(), at))
}

fn ends_in_double_consonant(word: &str) -> bool {
    let letters = word.as_bytes();
    matches!(letters, [.., before, last] if before == last) && is_consonant(letters, letters.len() - 1)
}

/// Consonant, vowel, consonant, the last none of w, x, y: Porter's *o.
fn ends_short(word: &str) -> bool {
    let (letters, length) = (word.as_bytes(), word.len());
    length >= 3
        && is_consonant(letters, length - 3)
        && !is_consonant(letters, length - 2)
        && is_consonant(letters, length - 1)
        && !word.ends_with(['w', 'x', 'y'])
}

#[cfg(test)]
mod tests {
    use super::stem_into;

    fn stem(word: &str) -> String {
        let mut stemmed = String::from("of the word before");
        stem_into(word, &mut stemmed);
        stemmed
    }

    #[test]
    fn words_of_one_family_have_one_stem() {
        for family in [
            &[
                "deploy",
                "deploys",
                "deployed",
                "deploying",
                "deployment",
                "deployments",
            ][..],
            &["connect", "connected", "connecting", "connection", "connections"],
            &["relate", "related", "relating", "relational"],
            &["happy", "happiness"],
            &["generalization", "generalizations", "generalize", "general"],
        ] {
            assert!(
                family.iter().all(|word| stem(word) == stem(family[0])),
                "{family:?}"
            );
        }
    }

    /// Examples that Porter's paper gives, step by step.
    #[test]
    fn examples_of_the_paper() {
        let pairs = "caresses:caress ponies:poni ties:ti cats:cat feed:feed agreed:agre plastered:plaster \
            bled:bled motoring:motor sing:sing conflated:conflat troubled:troubl sized:size \
            hopping:hop falling:fall hissing:hiss fizzed:fizz failing:fail filing:file sky:sky \
            conditional:condit vietnamization:vietnam operator:oper formative:form electrical:electr \
            hopefulness:hope revival:reviv adoption:adopt replacement:replac probate:probat rate:rate \
            controll:control roll:roll";
        for (word, expected) in pairs.split(' ').filter_map(|pair| pair.split_once(':')) {
            assert_eq!(stem(word), expected, "{word}");
        }
    }

    #[test]
    fn what_is_no_english_word_stays() {
        for word in ["", "a", "is", "straße", "v18ing", "データ", "Deploying"] {
            assert_eq!(stem(word), word);
        }
    }
}
