//! Owns what stands after a verb: objects, prepositions with names, dates, and the nouns between. It must not know what
//! they mean to the verb.

use super::dates::Period;
use super::groups::{group, is_adverb};
use super::lexicon::{Class, is};
use super::pieces::{Look, Piece};
use super::roles::{is_profession, role_of};

/// One thing after a verb.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Argument {
    /// "met Bob and Carol", "joined the startup Acme"
    Names(Vec<usize>),
    /// "at Acme", "in the city of Ulm"
    Preposition(String, Vec<usize>),
    /// "a bakery", "in the engineering team": its last noun
    Noun(String),
    /// "him", "her", "them", "it", at its place
    Pronoun(usize),
    Date(Period),
    /// "for five years"
    Ongoing,
}

/// The arguments from `at` to the end of the clause.
pub(super) fn arguments(pieces: &[Piece], at: usize) -> Vec<Argument> {
    let mut reader = Reader {
        pieces,
        at,
        found: Vec::new(),
    };
    while reader.next() {}
    reader.found
}

/// The names of a list that starts at `at` ("Bob, Carol and Dan") and where it ends. A name that is the subject of what
/// follows does not belong to it.
pub(super) fn name_list(pieces: &[Piece], at: usize) -> Option<(Vec<usize>, usize)> {
    let first = pieces.name(at)?;
    let (mut names, mut end) = (vec![first], at + 1);
    loop {
        let mut next = end;
        next += usize::from(pieces.get(next) == Some(&Piece::Comma));
        next += usize::from(pieces.get(next) == Some(&Piece::And));
        let Some(name) = pieces
            .name(next)
            .filter(|_| next > end && !is_subject(pieces, next))
        else {
            return Some((names, end));
        };
        names.push(name);
        end = next + 1;
    }
}

/// Whether the name at a place, perhaps with others after it, begins a clause of its own.
fn is_subject(pieces: &[Piece], at: usize) -> bool {
    let mut next = at + 1;
    while pieces.get(next) == Some(&Piece::And) && pieces.name(next + 1).is_some() {
        next += 2;
    }
    pieces.get(next) == Some(&Piece::Possessive) || group(pieces, next).is_some()
}

struct Reader<'a> {
    pieces: &'a [Piece],
    at: usize,
    found: Vec<Argument>,
}

impl Reader<'_> {
    /// Reads one argument; false at the end of the clause.
    fn next(&mut self) -> bool {
        match self.pieces.get(self.at) {
            Some(Piece::Date(period)) => {
                self.found.push(Argument::Date(period.clone()));
                self.at += 1;
            }
            Some(Piece::Name(_)) => return self.names(None),
            Some(Piece::Word(word)) => return self.word(&word.clone()),
            Some(Piece::And) => {
                let goes_on = is(self.pieces.word(self.at + 1), Class::PREPOSITION);
                self.at += 1;
                return goes_on
                    && self
                        .found
                        .iter()
                        .any(|found| matches!(found, Argument::Preposition(..)));
            }
            Some(Piece::Comma) => {
                let after = self.pieces.get(self.at + 1);
                self.at += 1;
                return matches!(after, Some(Piece::Date(_))) || self.pieces.word(self.at) == "together";
            }
            Some(Piece::Number) => self.at += 1,
            Some(Piece::Possessive | Piece::Stop) | None => return false,
        }
        true
    }

    fn word(&mut self, word: &str) -> bool {
        if is_adverb(word) && group(self.pieces, self.at).is_none() {
            self.at += 1;
            return true;
        }
        if matches!(word, "him" | "them" | "it") || word == "her" && !self.begins_noun(self.at + 1) {
            self.found.push(Argument::Pronoun(self.at));
            self.at += 1;
            return true;
        }
        if word == "up" && self.pieces.word(self.at + 1) == "in" {
            self.at += 1;
            return self.preposition("up_in");
        }
        if is(word, Class::PREPOSITION) || word == "up" {
            return self.preposition(word);
        }
        self.noun_phrase(None)
    }

    /// Whether a noun or an adjective stands at a place.
    fn begins_noun(&self, at: usize) -> bool {
        let word = self.pieces.word(at);
        self.pieces.name(at).is_some()
            || !word.is_empty() && !is(word, Class::PREPOSITION | Class::CONJUNCTION) && !is_adverb(word)
    }

    fn preposition(&mut self, preposition: &str) -> bool {
        self.at += 1;
        if self.pieces.name(self.at).is_some() {
            return self.names(Some(preposition));
        }
        if preposition == "for" && self.is_duration() {
            self.found.push(Argument::Ongoing);
        }
        self.noun_phrase(Some(preposition))
    }

    /// "five years", "3 months", "a decade"
    fn is_duration(&self) -> bool {
        let units = ["year", "years", "months", "weeks", "decade", "decades"];
        (self.at..self.at + 4).any(|at| units.contains(&self.pieces.word(at)))
    }

    /// Names at the reader's place. A name before a noun only tells which noun: "Google engineers".
    fn names(&mut self, preposition: Option<&str>) -> bool {
        // "wrote that Alice lives in Rome": the name begins another clause.
        if group(self.pieces, self.at + 1).is_some() {
            return false;
        }
        let Some((names, end)) = name_list(self.pieces, self.at) else {
            return false;
        };
        if self.pieces.get(end) == Some(&Piece::Possessive) {
            // "Bob's sister": another thing than Bob.
            self.at = end + 1;
            return self.noun_phrase(preposition);
        }
        let after = self.pieces.word(end);
        let kind = Class::ORGANIZATION | Class::PLACE | Class::PRODUCT | Class::EVENT;
        let heads_name = is(after, kind) || matches!(after, "office" | "area" | "branch" | "board");
        let is_compound = self.is_noun(end) && !heads_name;
        self.at = end + usize::from(heads_name);
        if is_compound {
            return self.noun_phrase(preposition);
        }
        self.found.push(match preposition {
            Some(preposition) => Argument::Preposition(preposition.to_owned(), names),
            None => Argument::Names(names),
        });
        true
    }

    /// A word that is none of grammar's, and no verb of the next clause.
    fn is_noun(&self, at: usize) -> bool {
        let word = self.pieces.word(at);
        let grammar = Class::PREPOSITION | Class::CONJUNCTION | Class::FUNCTION;
        !word.is_empty() && !is(word, grammar) && !is_adverb(word) && group(self.pieces, at).is_none()
    }

    /// Articles, adjectives and nouns up to five words. A name right after a noun that can stand before one is meant
    /// itself ("her friend Bob", "the startup Acme", "the city of Ulm"); after another noun it is left alone.
    fn noun_phrase(&mut self, preposition: Option<&str>) -> bool {
        let (start, mut last) = (self.at, String::new());
        while self.at < start + 6 {
            let word = self.pieces.word(self.at);
            let possessive = matches!(word, "her" | "his" | "their" | "its");
            if !(is(word, Class::DETERMINER | Class::ADJECTIVE) || possessive || self.is_noun(self.at)) {
                break;
            }
            if !is(word, Class::DETERMINER) && !possessive {
                last = word.to_owned();
            }
            self.at += 1;
        }
        let of =
            usize::from(self.pieces.word(self.at) == "of" && is(&last, Class::PLACE) && last != "capital");
        if self.pieces.name(self.at + of).is_some() {
            let introduces = last.is_empty()
                || is(
                    &last,
                    Class::ORGANIZATION | Class::PLACE | Class::PRODUCT | Class::EVENT | Class::ADJECTIVE,
                )
                || of == 0 && (role_of(&last).is_some() || is_profession(&last));
            self.at += of;
            if introduces {
                return self.names(preposition);
            }
            return false;
        }
        if last.is_empty() || self.at == start {
            return false;
        }
        self.found.push(Argument::Noun(last));
        true
    }
}
