//! Owns verb groups: "works", "has been working", "was founded", "does not know". It must not look for subjects or
//! objects.

use super::lexicon::{Class, class, is};
use super::pieces::{Look, Piece};
use super::roles::{is_profession, role_of};
use super::verbs::{Form, Verb, is_adjectival, is_participle, lookup};

/// A verb with what stands before it.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub start: usize,
    pub end: usize,
    pub voice: Voice,
    pub past: bool,
    /// "has worked": over, unless it goes on.
    pub perfect: bool,
    /// "work": needs a plural subject.
    pub base: bool,
    /// "works", "is": needs a singular subject.
    pub singular: bool,
    /// Neither negated nor only possible.
    pub sure: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Voice {
    Active(&'static Verb),
    /// A word that is no known verb but looks like one: "orchestrates".
    Unknown(String),
    /// The participle.
    Passive(String),
    /// "is", "was"
    Copula,
}

#[derive(Default)]
struct Auxiliaries {
    be: bool,
    have: bool,
    do_: bool,
    past: bool,
    unsure: bool,
    singular: bool,
    any: bool,
}

/// The verb group that starts at a piece.
pub(super) fn group(pieces: &[Piece], start: usize) -> Option<Group> {
    let mut seen = Auxiliaries::default();
    let mut at = start;
    while seen.take(pieces, &mut at) {}
    let word = pieces.word(at);
    let make = |end: usize, voice: Voice, past: bool| Group {
        start,
        end,
        voice,
        past,
        perfect: seen.have,
        base: false,
        singular: seen.singular || !seen.any && word.ends_with('s'),
        sure: !seen.unsure,
    };
    if seen.be {
        return Some(after_be(pieces, at, &seen, make));
    }
    if let Some((end, verb)) = periphrasis(pieces, at) {
        return Some(make(end, Voice::Active(verb), word == "used"));
    }
    if matches!(word, "became" | "becomes") && gives_role(pieces, at + 1) {
        return Some(make(at + 1, Voice::Copula, false));
    }
    let Some((verb, form)) = lookup(word) else {
        let unknown = !seen.any && looks_like_verb(word);
        return unknown.then(|| make(at + 1, Voice::Unknown(word.to_owned()), word.ends_with("ed")));
    };
    if form == Form::Past && pieces.word(at + 1) == "by" && !seen.any {
        return Some(make(at + 1, Voice::Passive(word.to_owned()), true));
    }
    let fits = match form {
        Form::Gerund => false,
        Form::Base => !seen.have,
        Form::Present => !seen.any,
        Form::Past => !seen.do_,
        Form::Participle => seen.have,
    };
    let mut group = make(
        at + 1,
        Voice::Active(verb),
        seen.past || form == Form::Past || seen.have,
    );
    group.base = form == Form::Base && !seen.any;
    fits.then_some(group)
}

impl Auxiliaries {
    /// Takes the auxiliary, negation or adverb at a piece; false where the main verb stands.
    fn take(&mut self, pieces: &[Piece], at: &mut usize) -> bool {
        let word = pieces.word(*at);
        let next = pieces.word(*at + 1);
        match word {
            "" => return false,
            "is" | "are" | "am" | "be" | "been" | "being" | "isn't" | "aren't" => self.be = true,
            "was" | "were" | "wasn't" | "weren't" => (self.be, self.past) = (true, true),
            // "got married": and is so now.
            "got" | "gets"
                if is_adjectival(next) || lookup(next).is_some_and(|(_, form)| is_participle(form)) =>
            {
                self.be = true
            }
            // Alone it is the verb itself: "has a brother".
            "has" | "have" | "had" | "hasn't" | "haven't" | "hadn't" if is_after_have(pieces, *at + 1) => {
                self.have = true
            }
            "do" | "does" | "don't" | "doesn't" => self.do_ = true,
            "did" | "didn't" => (self.do_, self.past) = (true, true),
            "no" if next == "longer" => {
                self.unsure = true;
                *at += 2;
                return true;
            }
            // These need no auxiliary: "Alice never met Bob."
            "not" | "never" | "hardly" | "barely" | "seldom" | "nearly" | "almost" => {
                self.unsure = true;
                *at += 1;
                return true;
            }
            _ if is(word, Class::MODAL) => self.do_ = true,
            _ if is_adverb(word) => {
                *at += 1;
                return true;
            }
            _ => return false,
        }
        self.unsure |= is(word, Class::MODAL | Class::NEGATION);
        self.singular |= matches!(
            word,
            "is" | "was" | "has" | "does" | "isn't" | "wasn't" | "hasn't" | "doesn't"
        );
        self.any = true;
        *at += 1;
        true
    }
}

/// Whether what follows "has" makes it an auxiliary.
fn is_after_have(pieces: &[Piece], mut at: usize) -> bool {
    while is_adverb(pieces.word(at)) || is(pieces.word(at), Class::NEGATION) {
        at += 1;
    }
    let word = pieces.word(at);
    let participle =
        lookup(word).is_some_and(|(_, form)| is_participle(form) || matches!(word, "run" | "come" | "quit"));
    participle || matches!(word, "been" | "started" | "begun")
}

/// "named CEO of": whether a role follows that the subject then has.
fn gives_role(pieces: &[Piece], at: usize) -> bool {
    let article = usize::from(is(pieces.word(at), Class::DETERMINER));
    role_of(pieces.word(at + article)).is_some() && pieces.word(at + article + 1) == "of"
}

fn after_be(
    pieces: &[Piece],
    at: usize,
    seen: &Auxiliaries,
    make: impl Fn(usize, Voice, bool) -> Group,
) -> Group {
    let word = pieces.word(at);
    if matches!(word, "named" | "appointed" | "elected" | "made") && gives_role(pieces, at + 1) {
        return make(at + 1, Voice::Copula, false);
    }
    match lookup(word) {
        Some((verb, Form::Gerund)) => {
            let mut group = make(at + 1, Voice::Active(verb), seen.past);
            // "is moving to Berlin" has not happened.
            group.sure &= verb.state || seen.have;
            group
        }
        Some((_, form)) if is_participle(form) || word == "run" => {
            make(at + 1, Voice::Passive(word.to_owned()), seen.past)
        }
        _ if is_adjectival(word) => make(at + 1, Voice::Passive(word.to_owned()), seen.past),
        _ if word.ends_with("ed") && pieces.word(at + 1) == "by" => {
            make(at + 1, Voice::Passive(word.to_owned()), seen.past)
        }
        _ if word == "known" || word == "called" => make(at + 1, Voice::Passive(word.to_owned()), seen.past),
        _ => make(at, Voice::Copula, seen.past),
    }
}

/// "used to work", "started working": where it ends, and the verb that counts.
fn periphrasis(pieces: &[Piece], at: usize) -> Option<(usize, &'static Verb)> {
    match pieces.word(at) {
        "used" if pieces.word(at + 1) == "to" => {
            let (verb, form) = lookup(pieces.word(at + 2))?;
            (form == Form::Base).then_some((at + 3, verb))
        }
        // The new state goes on, as far as anybody knows; that of an event is over.
        "started" | "began" | "starts" | "begins" | "begun" => {
            let (verb, form) = lookup(pieces.word(at + 1))?;
            (form == Form::Gerund).then_some((at + 2, verb))
        }
        _ => None,
    }
}

pub(super) fn is_adverb(word: &str) -> bool {
    is(word, Class::ADVERB)
        || word.len() > 4 && word.ends_with("ly") && !is(word, Class::STARTER) && lookup(word).is_none()
}

/// A word in the third person or the past that is no noun of these lists. Whether it is a verb, its neighbours must
/// show.
fn looks_like_verb(word: &str) -> bool {
    let noun = || {
        let singular = word.strip_suffix('s').unwrap_or(word);
        let endings = "er or ist ian ee ment tion sion ness ship ism ing age ture ance ence ity ie ic al";
        let agent = endings.split(' ').any(|ending| singular.ends_with(ending));
        let listed = Class::ORGANIZATION | Class::PLACE | Class::EVENT | Class::PRODUCT | Class::STARTER;
        role_of(singular).is_some()
            || is_profession(singular)
            || is(singular, listed)
            || agent && word.ends_with('s')
    };
    let form = word.ends_with("ed")
        || word.ends_with('s') && !["ss", "us", "is", "os"].iter().any(|end| word.ends_with(end));
    word.len() >= 4
        && form
        && word.bytes().all(|b| b.is_ascii_lowercase())
        && class(word) == Class::default()
        && !noun()
}
