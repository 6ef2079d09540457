//! Owns whether a single dot ends a sentence or belongs to an abbreviation, a number or initials. It must not look for
//! sentences.

use zerodb_hooks_lexical::words::{fold, weight};

/// Marks that open quotes, brackets or emphasis before a word.
pub(crate) fn is_opener(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | '('
            | '['
            | '{'
            | '«'
            | '»'
            | '‹'
            | '“'
            | '‘'
            | '„'
            | '‚'
            | '¿'
            | '¡'
            | '「'
            | '『'
            | '（'
            | '《'
            | '*'
            | '_'
    )
}

/// Whether a single dot between `before` and `following` (which starts in upper case or without case) ends a sentence.
pub(crate) fn dot_ends(before: &str, following: &str) -> bool {
    let token = before
        .rsplit(|c: char| c.is_whitespace() || is_opener(c))
        .next()
        .unwrap_or_default();
    if token.len() > 12 {
        return true;
    }
    let folded = fold(token);
    if BEFORE_NUMBERS.contains(&folded.as_str()) && following.starts_with(|c: char| c.is_numeric()) {
        return false;
    }
    let alone = token.len() == before.trim_start().len();
    if NEVER_LAST.contains(&folded.as_str())
        || (alone && token.len() <= 3 && token.bytes().all(|b| b.is_ascii_digit()))
    {
        return false;
    }
    if is_letter(token) && (is_letter_with_dot(following) || is_abbreviated(before, token)) {
        return false;
    }
    let initial = token.chars().count() == 1 && token.chars().all(char::is_uppercase);
    let initials = token.contains('.')
        && token
            .split('.')
            .all(|part| (1..=2).contains(&part.chars().count()));
    if initial
        || initials && !token.starts_with(|c: char| c.is_ascii_digit())
        || SELDOM_LAST.contains(&folded.as_str())
    {
        let next_word: String = following.chars().take_while(|c| c.is_alphanumeric()).collect();
        return next_word.len() > 1 && weight(&fold(&next_word)) == 0.0;
    }
    true
}

fn is_letter(token: &str) -> bool {
    let mut letters = token.chars();
    letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none()
}

/// Whether `text` goes on with one letter and a dot, as "B. Berlin" after "z.".
fn is_letter_with_dot(text: &str) -> bool {
    text.split_once('.').is_some_and(|(letter, _)| is_letter(letter))
}

/// Whether one small letter with a dot stands before `token`, at the end of `before`: the "z. " of "z. B".
fn is_abbreviated(before: &str, token: &str) -> bool {
    let before = before
        .strip_suffix(token)
        .and_then(|before| before.trim_end().strip_suffix('.'));
    let word = before.and_then(|before| before.rsplit(char::is_whitespace).next());
    word.is_some_and(|word| is_letter(word) && word.chars().all(char::is_lowercase))
}

/// Abbreviations after which more must come.
#[rustfmt::skip]
const NEVER_LAST: &[&str] = &[
    "mr", "mrs", "ms", "mx", "dr", "drs", "prof", "rev", "hon", "gen", "col", "maj", "capt", "cmdr", "lt",
    "sgt", "cpl", "sen", "rep", "gov", "pres", "st", "mt", "ft", "vs", "cf", "ca", "approx", "e.g", "i.e",
    "viz", "resp", "incl", "esp", "hr", "fr", "z.b", "d.h", "u.a", "bzw", "bspw", "ggf", "evtl", "vgl", "mme",
    "mlle", "sra", "srta", "dott",
];

/// Abbreviations, and a word, after which a number can come.
#[rustfmt::skip]
const BEFORE_NUMBERS: &[&str] = &[
    "no", "nos", "nr", "fig", "figs", "eq", "vol", "vols", "ch", "sec", "pp", "p", "op", "abs", "art", "ver",
    "v", "tel",
];

/// Abbreviations that end a sentence only where the next word shows it.
#[rustfmt::skip]
const SELDOM_LAST: &[&str] = &[
    "inc", "ltd", "corp", "co", "llc", "plc", "bros", "jr", "sr", "phd", "etc", "al", "est", "dept", "univ",
    "assn", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "mon", "tue",
    "wed", "thu", "fri", "sat", "sun", "usw", "min", "max", "str", "ave", "blvd", "rd",
];
