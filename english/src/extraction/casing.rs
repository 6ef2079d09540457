//! Owns what capitals tell in a text, and where they tell nothing. It must not look for names.

use std::collections::HashSet;

use super::lexicon::{Class, is};
use super::tokens::{Token, TokenKind};
use super::verbs::{Form, lookup};

/// The capitals of words in the whole text: a word that is also written small is no name at the start of a sentence.
#[derive(Default)]
pub(super) struct Casing {
    pub small: HashSet<String>,
    /// With a capital, and not where a sentence begins.
    pub inner: HashSet<String>,
}

impl Casing {
    pub fn of(sentences: &[Vec<Token<'_>>]) -> Self {
        let mut casing = Casing::default();
        for tokens in sentences.iter().filter(|tokens| !is_heading(tokens)) {
            for (place, token) in tokens
                .iter()
                .enumerate()
                .filter(|(_, token)| token.kind == TokenKind::Word)
            {
                if token.text.starts_with(char::is_lowercase) {
                    casing.small.insert(token.folded.clone());
                } else if !begins(tokens, place) {
                    casing.inner.insert(token.folded.clone());
                }
            }
        }
        casing
    }
}

/// Whether capitals tell nothing here: in a heading, where everything is in capitals, or in another language.
pub(super) fn is_heading(tokens: &[Token<'_>]) -> bool {
    let words: Vec<&Token<'_>> = tokens
        .iter()
        .filter(|token| token.kind == TokenKind::Word)
        .collect();
    let shouted = words.iter().filter(|word| word.is_acronym()).count();
    let raised = words.iter().skip(1).filter(|word| {
        let verb = || lookup(&word.folded).is_some_and(|(_, form)| form != Form::Base);
        word.is_capital() && !word.is_acronym() && (is(&word.folded, Class::FUNCTION) || verb())
    });
    words.len() >= 3 && shouted * 10 >= words.len() * 7 || raised.count() >= 2 || is_foreign(&words)
}

/// More words of another language's grammar than of the English one. German, for one, writes all nouns with capitals.
fn is_foreign(words: &[&Token<'_>]) -> bool {
    let english = Class::FUNCTION | Class::PREPOSITION;
    let foreign = words
        .iter()
        .filter(|word| is(&word.folded, Class::FOREIGN) && !is(&word.folded, english))
        .count();
    let known = words.iter().filter(|word| {
        let verb = || lookup(&word.folded).is_some() && !is(&word.folded, Class::FOREIGN);
        is(&word.folded, english) || verb()
    });
    foreign >= 2 && foreign > known.count()
}

/// Whether a token is the first of its sentence, or of a quote, a bracket or a part after a colon.
pub(super) fn begins(tokens: &[Token<'_>], place: usize) -> bool {
    place == 0
        || matches!(
            tokens[place - 1].kind,
            TokenKind::Quote | TokenKind::Open | TokenKind::Other
        )
}
