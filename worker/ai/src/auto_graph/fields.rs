//! The fields of what a model or a rule found, in the form in which they are stored. Pure.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The types of entities. What is none of the others is just an entity.
pub const TYPES: [&str; 6] = ["person", "organization", "location", "event", "product", GENERIC];
/// Fits every type.
pub const GENERIC: &str = "entity";

/// The longest name, in characters.
const NAME: usize = 200;
/// The longest predicate, in characters.
const PREDICATE: usize = 64;
/// The longest fact or quote, in characters.
const SENTENCE: usize = 500;

/// Words for something that is named elsewhere, or for nothing in particular.
const NO_NAMES: [&str; 52] = [
    "i",
    "me",
    "my",
    "mine",
    "myself",
    "you",
    "your",
    "yours",
    "he",
    "him",
    "his",
    "she",
    "her",
    "hers",
    "it",
    "its",
    "we",
    "us",
    "our",
    "ours",
    "they",
    "them",
    "their",
    "theirs",
    "this",
    "that",
    "these",
    "those",
    "who",
    "someone",
    "somebody",
    "everyone",
    "everybody",
    "something",
    "nothing",
    "people",
    "person",
    "user",
    "the user",
    "someone else",
    "here",
    "there",
    "today",
    "tomorrow",
    "yesterday",
    "now",
    "one",
    "ones",
    "everything",
    "anyone",
    "nobody",
    "none",
];

/// A name without what cannot be stored; `None` where it names nothing: a pronoun, a number, a date.
pub fn name(text: &str) -> Option<String> {
    let name = tidy(text, NAME)?;
    let is_letter = name.chars().any(char::is_alphabetic);
    let is_cut = text.trim().chars().nth(NAME).is_some();
    (is_letter && !is_cut && !NO_NAMES.contains(&name.to_lowercase().as_str()) && date(&name).is_none())
        .then_some(name)
}

/// One of `TYPES`.
pub fn entity_type(text: &str) -> &'static str {
    let wanted = text.trim().to_lowercase();
    TYPES
        .into_iter()
        .find(|known| *known == wanted)
        .unwrap_or(GENERIC)
}

/// A predicate in capitals of its script: `works at` is `WORKS_AT`, `gründete` is `GRÜNDETE`. `None` where it has no
/// letter. The tables of the graph check the same.
pub fn predicate(text: &str) -> Option<String> {
    let mut predicate = String::new();
    for c in text.trim().nfkc() {
        if c.is_alphanumeric() || is_combining_mark(c) {
            predicate.extend(c.to_uppercase());
        } else if !is_invisible(c) && !predicate.is_empty() && !predicate.ends_with('_') {
            predicate.push('_');
        }
    }
    let predicate: String = predicate
        .trim_start_matches(|c: char| !c.is_alphabetic())
        .chars()
        .take(PREDICATE)
        .collect();
    let predicate = predicate.trim_end_matches('_');
    (!predicate.is_empty()).then(|| predicate.to_owned())
}

/// A sentence on one line, cut where it is too long.
pub fn sentence(text: &str) -> Option<String> {
    tidy(text, SENTENCE)
}

/// 0 to 1.
pub fn confidence(number: Option<f64>) -> f32 {
    match number {
        Some(number) if number.is_finite() => number.clamp(0.0, 1.0) as f32,
        _ => 0.5,
    }
}

/// An instant in RFC 3339; of a day, a month or a year, its first instant in UTC. `None` for what is none of these.
pub fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        date(text)?
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|day| day.timestamp())
    })
}

fn date(text: &str) -> Option<Date> {
    let is_plain = text.chars().all(|c| c.is_ascii_digit() || c == '-');
    let completed = match (is_plain, text.len()) {
        (true, 4) => format!("{text}-01-01"),
        (true, 7) => format!("{text}-01"),
        (true, 10) => text.to_owned(),
        _ => return None,
    };
    completed.parse().ok()
}

/// The text on one line, without characters that Postgres cannot hold, cut to `most`; `None` where nothing is left.
fn tidy(text: &str, most: usize) -> Option<String> {
    let visible = |c: &char| !c.is_control() && !is_invisible(*c);
    let words: Vec<String> = text
        .split_whitespace()
        .map(|word| word.chars().filter(visible).collect())
        .collect();
    let line: String = words.join(" ").trim().chars().take(most).collect();
    (!line.is_empty()).then_some(line)
}

/// True for characters that join or part letters and are not seen.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tidied_and_what_names_nothing_is_none() {
        assert_eq!(
            name("  AI\u{200b}\n conference\0 ").as_deref(),
            Some("AI conference")
        );
        for nothing in [
            "",
            " ",
            "She",
            "the user",
            "2019",
            "2020-05-01",
            "...",
            "42 %",
            &"x".repeat(201),
        ] {
            assert_eq!(name(nothing), None, "{nothing}");
        }
        for something in ["Alice", "東京", "3M", "Route 66", "Größe GmbH"] {
            assert_eq!(name(something).as_deref(), Some(something));
        }
    }

    #[test]
    fn predicates_are_of_the_form_that_the_graph_takes() {
        for (text, expected) in [
            ("works at", "WORKS_AT"),
            ("  is-a ", "IS_A"),
            ("9th child of", "TH_CHILD_OF"),
            ("LIVES_IN", "LIVES_IN"),
            ("работает в", "РАБОТАЕТ_В"),
            ("工作于", "工作于"),
            ("gru\u{308}ndete", "GRÜNDETE"),
            ("heißt", "HEISST"),
            ("εργάζεται στο", "ΕΡΓΆΖΕΤΑΙ_ΣΤΟ"),
            ("عمل في", "عمل_في"),
            ("में काम करता है", "में_काम_करता_है"),
            ("می\u{200c}خواهد", "میخواهد"),
            ("で働く", "で働く"),
            ("works　at", "WORKS_AT"),
            ("_private", "PRIVATE"),
            ("co-founder / of", "CO_FOUNDER_OF"),
        ] {
            assert_eq!(predicate(text).as_deref(), Some(expected));
        }
        for nothing in ["", "…", "42", "_", "→", "\0"] {
            assert_eq!(predicate(nothing), None, "{nothing}");
        }
        for long in [
            predicate(&"a ".repeat(100)),
            predicate(&"я".repeat(100)),
            predicate(&"ß".repeat(100)),
        ] {
            let long = long.unwrap_or_default();
            assert!((60..=64).contains(&long.chars().count()) && !long.ends_with('_'));
        }
    }

    #[test]
    fn instants_are_read_from_dates_of_any_precision() {
        for (text, expected) in [
            ("2020-05-01T10:00:00+02:00", "2020-05-01T08:00:00Z"),
            ("2020-05-01", "2020-05-01T00:00:00Z"),
            ("2020-05", "2020-05-01T00:00:00Z"),
            ("1999", "1999-01-01T00:00:00Z"),
        ] {
            assert_eq!(instant(text).unwrap().to_string(), expected, "{text}");
        }
        for nothing in ["", "soon", "2020-13", "20", "2020-02-30", "99999"] {
            assert_eq!(instant(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn confidence_is_a_share_whatever_the_model_says() {
        assert_eq!(
            [Some(0.25), Some(7.0), Some(-1.0), Some(f64::NAN), None].map(confidence),
            [0.25, 1.0, 0.0, 0.5, 0.5]
        );
    }
}
