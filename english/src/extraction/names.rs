//! Owns which tokens of a sentence are names, and what their form says about what they name. It must not relate them.

use super::casing::{Casing, begins, is_heading};
use super::cues::{form_cue, neighbour_cue};
use super::entities::EntityType;
use super::lexicon::{Class, class, is};
use super::roles::{is_profession, role_of};
use super::tokens::{Token, TokenKind};
use super::verbs::{Form, lookup};

/// A name in a sentence.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    /// The tokens it takes.
    pub tokens: std::ops::Range<usize>,
    pub name: String,
    /// The type that its form or its neighbours show.
    pub cue: Option<EntityType>,
    /// Whether it is a name for sure. A single word that begins a sentence may be any word.
    pub solid: bool,
}

const MOST_WORDS: usize = 9;
const MOST_CHARACTERS: usize = 200;

/// The names of a sentence, in order.
pub(super) fn mentions(tokens: &[Token<'_>], casing: &Casing) -> Vec<Mention> {
    let finder = Finder {
        tokens,
        casing,
        heading: is_heading(tokens),
    };
    let mut mentions = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let Some(mention) = finder.at(at) else {
            at += 1;
            continue;
        };
        at = mention.tokens.end;
        // Longer ones are headings, lists and data.
        if mention.tokens.len() <= MOST_WORDS && mention.name.chars().count() <= MOST_CHARACTERS {
            mentions.push(mention);
        }
    }
    mentions
}

struct Finder<'a> {
    tokens: &'a [Token<'a>],
    casing: &'a Casing,
    heading: bool,
}

impl Finder<'_> {
    fn at(&self, at: usize) -> Option<Mention> {
        let token = &self.tokens[at];
        match token.kind {
            TokenKind::Address => {
                let handle = token.text.starts_with('@').then_some(EntityType::Person);
                Some(Mention {
                    tokens: at..at + 1,
                    name: token.text.to_owned(),
                    cue: handle,
                    solid: true,
                })
            }
            TokenKind::Quote if !self.heading => self.quoted(at),
            TokenKind::Word if !self.heading && self.starts(at) => self.capitalised(at),
            _ => None,
        }
    }

    /// A title of one to six words between quotes: all with capitals, but for the likes of "of" and "the".
    fn quoted(&self, at: usize) -> Option<Mention> {
        let length = self.tokens[at + 1..]
            .iter()
            .take(7)
            .position(|token| token.kind == TokenKind::Quote)?;
        let inner = self.tokens.get(at + 1..at + 1 + length)?;
        let (first, last) = (inner.first()?, inner.last()?);
        let plain = |token: &Token<'_>| {
            token.is_capital()
                || token.kind == TokenKind::Number
                || token.text != first.text && is(&token.folded, Class::FUNCTION)
        };
        let single = inner.len() == 1 && (self.is_ordinary(&first.folded) || first.text.chars().count() == 1);
        if !first.is_capital()
            || single
            || is(&first.folded, Class::FUNCTION) && inner.len() < 3
            || !inner.iter().all(plain)
        {
            return None;
        }
        let name = join(self.tokens, at + 1..at + 1 + length);
        let cue = neighbour_cue(self.tokens, at, at + length + 2);
        (last.kind != TokenKind::Number).then_some(Mention {
            tokens: at..at + length + 2,
            name,
            cue,
            solid: true,
        })
    }

    /// Whether a name can start with this word.
    fn starts(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        let known = is(
            &token.folded,
            Class::MALE | Class::FEMALE | Class::KNOWN_PLACE | Class::KNOWN_PRODUCT,
        );
        if !token.is_capital() || self.is_barred(at) {
            return false;
        }
        if known {
            return true;
        }
        let next = self.tokens.get(at + 1).filter(|next| next.is_capital());
        let next_is = |classes| next.is_some_and(|next| is(&next.folded, classes));
        if is(&token.folded, Class::TITLE) {
            return next_is(Class::ORGANIZATION | Class::PLACE);
        }
        if is(&token.folded, Class::NATIONALITY) {
            return next_is(Class::ORGANIZATION);
        }
        let office = role_of(&token.folded).is_some() || is_profession(&token.folded);
        if office && !token.is_acronym() {
            return false;
        }
        !(begins(self.tokens, at) && self.is_ordinary(&token.folded) && !token.is_acronym())
    }

    /// Never part of a name, wherever it stands.
    fn is_barred(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        let class = class(&token.folded);
        let compound = [
            "-based",
            "-born",
            "-led",
            "-style",
            "-like",
            "-speaking",
            "-owned",
            "-backed",
        ];
        // "the US", "World Health Organization (WHO)"
        let bracketed = at
            .checked_sub(1)
            .is_some_and(|before| self.tokens[before].kind == TokenKind::Open);
        class.has(Class::FUNCTION) && !(token.is_acronym() && (class.has(Class::KNOWN_PLACE) || bracketed))
            || class.has(Class::DAY)
            || class.has(Class::MONTH) && !self.is_month_as_name(at)
            || class.has(Class::ACRONYM)
                && (token.is_acronym() || token.text.contains('.'))
                && !self.event_follows(at + 1)
            || token.text.chars().count() == 1
            || compound.iter().any(|ending| token.folded.ends_with(ending))
    }

    /// "April Smith" inside a sentence, but not "in April Smith met".
    fn is_month_as_name(&self, at: usize) -> bool {
        let next_is_name = self
            .tokens
            .get(at + 1)
            .is_some_and(|next| next.is_capital() && !is(&next.folded, Class::FUNCTION));
        let before = at
            .checked_sub(1)
            .map(|before| self.tokens[before].folded.as_str());
        next_is_name
            && before
                .is_some_and(|before| !is(before, Class::PREPOSITION | Class::DETERMINER | Class::ADJECTIVE))
    }

    /// A word that begins many sentences, or that this text also writes small.
    fn is_ordinary(&self, folded: &str) -> bool {
        let listed = Class::FUNCTION
            | Class::STARTER
            | Class::ADVERB
            | Class::ADJECTIVE
            | Class::PREPOSITION
            | Class::EVENT;
        let ending = [
            "ly", "ing", "ed", "ment", "tion", "sion", "ness", "ity", "ship", "ism",
        ];
        is(folded, listed | Class::NATIONALITY | Class::PRODUCT)
            || lookup(folded).is_some_and(|(_, form)| matches!(form, Form::Base | Form::Gerund))
            || self.casing.small.contains(folded)
            || folded.len() > 4
                && ending.iter().any(|ending| folded.ends_with(ending))
                && !self.casing.inner.contains(folded)
    }

    fn event_follows(&self, at: usize) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|next| next.text == next.folded && is(&next.folded, Class::EVENT))
    }

    fn capitalised(&self, first: usize) -> Option<Mention> {
        let mut end = first + 1;
        while let Some(more) = self.goes_on(first, end) {
            end += more;
        }
        let extended =
            self.event_follows(end) && !is(&self.tokens[end - 1].folded, Class::MALE | Class::FEMALE);
        end += usize::from(extended);
        let tokens = &self.tokens[first..end];
        let alone = Class::ORGANIZATION | Class::PLACE | Class::EVENT | Class::LEGAL;
        if tokens.len() == 1 && is(&tokens[0].folded, alone) && !tokens[0].is_acronym() {
            return None;
        }
        let cue = form_cue(tokens).or_else(|| neighbour_cue(self.tokens, first, end));
        let solid = self.is_solid(first, end);
        if !solid && looks_plural(&tokens[0].folded) && !self.singular_follows(end) {
            return None;
        }
        let name = join(self.tokens, first..end).trim_end_matches('.').to_owned();
        let name = if tokens
            .last()
            .is_some_and(|last| last.text.matches('.').count() > 1)
        {
            name + "."
        } else {
            name
        };
        Some(Mention {
            tokens: first..end,
            name,
            cue,
            solid,
        })
    }

    /// "Siemens is", "Texas borders": no plural after all.
    fn singular_follows(&self, at: usize) -> bool {
        let next = self.tokens.get(at).map_or("", |token| token.folded.as_str());
        matches!(next, "is" | "was" | "has" | "isn't" | "wasn't")
            || lookup(next).is_some_and(|(_, form)| form == Form::Present)
    }

    /// The number of tokens from `at` that belong to the name that starts at `first`.
    fn goes_on(&self, first: usize, at: usize) -> Option<usize> {
        let token = self.tokens.get(at)?;
        let capital = |ahead: usize| {
            self.tokens
                .get(at + ahead)
                .filter(|token| token.is_capital() && !self.is_barred(at + ahead))
        };
        let before = &self.tokens[at - 1];
        if token.kind == TokenKind::Comma {
            return capital(1)
                .filter(|next| is(&next.folded, Class::LEGAL))
                .map(|_| 2);
        }
        if token.kind != TokenKind::Word {
            return None;
        }
        if capital(0).is_some() {
            let office = role_of(&token.folded).is_some()
                || is_profession(&token.folded)
                || is(&token.folded, Class::TITLE);
            let ends = self.is_office(at) || office && capital(1).is_some();
            return (!ends).then_some(1);
        }
        match token.folded.as_str() {
            "of" if is(&before.folded, Class::OF_HEAD) => {
                let article = usize::from(self.tokens.get(at + 1).is_some_and(|next| next.text == "the"));
                capital(1 + article).map(|_| 2 + article)
            }
            "&" => capital(1).map(|_| 2),
            "and" => {
                let next = capital(1)?;
                let firm = ["sons", "partners", "associates", "company", "co", "brothers"];
                let office = || {
                    capital(2).is_some_and(|after| {
                        ["administration", "commission"].contains(&after.folded.as_str())
                    })
                };
                let same = next.folded == self.tokens[first].folded;
                (same || firm.contains(&next.folded.as_str()) || office()).then_some(2)
            }
            word if is(word, Class::CONNECTOR) && token.text == word => capital(1).map(|_| 2).or_else(|| {
                let second = self
                    .tokens
                    .get(at + 1)
                    .filter(|next| is(&next.folded, Class::CONNECTOR))?;
                (second.text == second.folded && capital(2).is_some()).then_some(3)
            }),
            _ => None,
        }
    }

    /// "CEO" in "Acme CEO Bob": the name before it ends here.
    fn is_office(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        token.is_acronym() && role_of(&token.folded).is_some()
    }

    fn is_solid(&self, first: usize, end: usize) -> bool {
        let token = &self.tokens[first];
        let known = Class::MALE | Class::FEMALE | Class::KNOWN_PLACE | Class::KNOWN_PRODUCT;
        !begins(self.tokens, first)
            || end - first > 1
            || is(&token.folded, known)
            || token
                .text
                .chars()
                .skip(1)
                .any(|c| c.is_uppercase() || c.is_numeric())
            || self.casing.inner.contains(&token.folded)
    }
}

/// "Researchers", but not "James": a plural that begins a sentence.
fn looks_plural(folded: &str) -> bool {
    folded.ends_with('s')
        && !["ss", "us", "is", "as", "os"]
            .iter()
            .any(|ending| folded.ends_with(ending))
}

/// The tokens as written, with single spaces where there is any.
fn join(tokens: &[Token<'_>], range: std::ops::Range<usize>) -> String {
    let mut joined = String::new();
    let mut end = None;
    for token in &tokens[range] {
        if end.is_some_and(|end| end < token.start) {
            joined.push(' ');
        }
        joined.push_str(token.text);
        end = Some(token.end);
    }
    joined
}
