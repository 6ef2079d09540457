//! Owns who does something: it finds the verb groups of a sentence and the subject of each. What is done to whom is for
//! `active`, `passive` and `copula`. A verb whose subject is not plain is left alone.

use super::arguments::{Argument, arguments, name_list};
use super::brackets::{Sense, split};
use super::casing::Casing;
use super::coreference::Context;
use super::entities::EntityType;
use super::graph::Graph;
use super::groups::{Group, Voice, group, is_adverb};
use super::lexicon::{Class, is};
use super::pieces::{Look, Piece, pieces};
use super::possessives::read_possessives;
use super::roles::{is_profession, role_of};
use super::scene::{Said, Scene};
use super::tokens::Token;

/// Factors of the confidence in a fact for a pronoun, a reported clause and a subordinate clause.
const BY_PRONOUN: f32 = 0.8;
const REPORTED: f32 = 0.75;
const SUBORDINATE: f32 = 0.9;

/// Enters what a sentence states into the graph.
pub(super) fn read_sentence(tokens: &[Token<'_>], casing: &Casing, graph: &mut Graph, context: &mut Context) {
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
        return;
    };
    let pieces = pieces(tokens, casing, graph);
    context.begin_sentence(pieces.iter().filter_map(Piece::name).collect());
    let asked = tokens.iter().rev().take(3).any(|token| token.text == "?");
    if asked || tokens.iter().any(|token| is(&token.folded, Class::HYPOTHESIS)) {
        return;
    }
    let mut scene = Scene::new(graph, context, (first.start, last.end));
    let (main, brackets) = split(&pieces);
    Clauses::new(&main, &mut scene, None).read();
    for bracket in &brackets {
        match bracket.sense {
            Sense::Subject => Clauses::new(&bracket.pieces, &mut scene, Some(bracket.about)).read(),
            Sense::Where => {
                scene.place = Some(bracket.about);
                Clauses::new(&bracket.pieces, &mut scene, None).read();
                scene.place = None;
            }
            Sense::Other => {}
        }
    }
    read_possessives(&pieces, &mut scene);
}

struct Clauses<'a, 'b> {
    pieces: &'a [Piece],
    scene: &'a mut Scene<'b>,
    /// The name that a bracket is about: the subject of its first verb.
    given: Option<usize>,
    /// The subject of the verb before, and its place.
    before: Option<(Subject, Group)>,
    /// From here on things are thought, wished or claimed.
    doubted: bool,
}

#[derive(Clone)]
struct Subject {
    ids: Vec<usize>,
    confidence: f32,
}

impl<'a, 'b> Clauses<'a, 'b> {
    fn new(pieces: &'a [Piece], scene: &'a mut Scene<'b>, given: Option<usize>) -> Self {
        Clauses {
            pieces,
            scene,
            given,
            before: None,
            doubted: false,
        }
    }

    fn read(&mut self) {
        let (mut at, mut first) = (0, true);
        while at < self.pieces.len() {
            self.doubted |= is(self.pieces.word(at), Class::BELIEF);
            let Some(group) = group(self.pieces, at) else {
                at += 1;
                continue;
            };
            // An infinitive says what may be.
            if at > 0 && self.pieces.word(at - 1) == "to" {
                at = group.end;
                continue;
            }
            at = group.end.max(at + 1);
            let subject = self.subject(&group);
            if let Some(subject) = &subject {
                self.clause(subject, &group, first);
            }
            first = false;
            self.before = subject.map(|subject| (subject, group));
        }
    }

    fn clause(&mut self, subject: &Subject, group: &Group, first: bool) {
        self.scene.subject(group.start, &subject.ids);
        if !group.sure || self.doubted {
            return;
        }
        let mut arguments = arguments(self.pieces, group.end);
        if first {
            arguments.extend(self.fronted(group.start));
        }
        let said = Said {
            subjects: &subject.ids,
            past: group.past,
            perfect: group.perfect,
            confidence: subject.confidence,
            pieces: self.pieces,
            end: group.end,
        };
        match &group.voice {
            Voice::Active(verb) => {
                if verb.subject == EntityType::Person && subject.ids.len() == 1 {
                    self.scene.graph.confirm(subject.ids[0]);
                }
                self.scene.active(&said, verb, &arguments);
            }
            Voice::Unknown(word) => self.scene.unknown(&said, word, &arguments),
            Voice::Passive(participle) => self.scene.passive(&said, participle, &arguments),
            Voice::Copula => self.scene.copula(&said),
        }
    }

    /// "In 2019, Alice …", "In Berlin, Alice …": what stands before the first subject and belongs to its verb.
    fn fronted(&self, verb: usize) -> Vec<Argument> {
        let mut found = Vec::new();
        if let Some(Piece::Date(period)) = self.pieces[..verb]
            .iter()
            .find(|piece| matches!(piece, Piece::Date(_)))
        {
            found.push(Argument::Date(period.clone()));
        }
        if self.pieces.word(0) == "in"
            && let Some((names, end)) = name_list(self.pieces, 1)
            && self.pieces.get(end) == Some(&Piece::Comma)
        {
            found.push(Argument::Preposition("in".to_owned(), names));
        }
        found
    }

    fn subject(&self, group: &Group) -> Option<Subject> {
        let found = self.find_subject(group)?;
        // "Developers use Postgres": one name does not agree with a plural verb.
        (!group.base || found.ids.len() > 1).then_some(found)
    }

    fn find_subject(&self, group: &Group) -> Option<Subject> {
        let Some(left) = group.start.checked_sub(1) else {
            return self.given.map(|id| Subject {
                ids: vec![id],
                confidence: 1.0,
            });
        };
        match &self.pieces[left] {
            Piece::Name(_) => self.named_subject(left, group),
            Piece::And | Piece::Comma => self.shared_subject(group),
            Piece::Word(word) if word == "but" || word == "then" => self.shared_subject(group),
            Piece::Word(word) if matches!(word.as_str(), "he" | "she" | "it" | "they") => {
                self.pronoun_subject(word, left)
            }
            Piece::Word(word) if matches!(word.as_str(), "who" | "which" | "that") => {
                self.relative_subject(left)
            }
            // "The Falcon project uses Rust."
            Piece::Word(word) if is(word, Class::PRODUCT | Class::ORGANIZATION) => {
                let name = left
                    .checked_sub(1)
                    .filter(|name| self.pieces.name(*name).is_some())?;
                self.named_subject(name, group)
            }
            _ => None,
        }
    }

    /// The names that end at `last`: "Alice", "Alice and Bob", "Alice, Bob and Carol". Only the last of them where
    /// those before belong to another clause: "Carol works at Acme and Bob works at Initech".
    fn named_subject(&self, last: usize, group: &Group) -> Option<Subject> {
        let mut start = last;
        while let Some(before) = self.name_before(start, start < last).filter(|_| !group.singular) {
            start = before;
        }
        let whole = self.opens_clause(start);
        let start = if whole.is_none() && self.before.is_some() {
            last
        } else {
            start
        };
        let confidence = whole.or_else(|| self.opens_clause(start))?;
        // After a lone "and" there must have been a clause, or it is the end of a longer phrase: "friends of Alice and
        // Bob".
        let joined = start
            .checked_sub(1)
            .is_some_and(|before| self.pieces[before] == Piece::And);
        let ids = self.pieces[start..=last].iter().filter_map(Piece::name).collect();
        (!joined || self.before.is_some()).then_some(Subject { ids, confidence })
    }

    /// The name that is joined to the one at `at`. A comma joins only in a list that ends with "and".
    fn name_before(&self, at: usize, in_list: bool) -> Option<usize> {
        let piece = |back: usize| at.checked_sub(back).map(|place| &self.pieces[place]);
        let and = piece(1) == Some(&Piece::And);
        let comma = piece(1 + usize::from(and)) == Some(&Piece::Comma);
        if !(and || in_list && comma) {
            return None;
        }
        let back = 1 + usize::from(and) + usize::from(comma);
        at.checked_sub(back)
            .filter(|place| self.pieces.name(*place).is_some())
    }

    /// Whether a subject can start at `start`: what stands before it must not take it for itself, as "the office of"
    /// would. Returns what is left of the confidence.
    fn opens_clause(&self, mut start: usize) -> Option<f32> {
        loop {
            let Some(before) = start.checked_sub(1) else {
                return Some(1.0);
            };
            let word = match &self.pieces[before] {
                Piece::Comma | Piece::Stop | Piece::Date(_) | Piece::And => return Some(1.0),
                Piece::Word(word) => word.as_str(),
                _ => return None,
            };
            if is(word, Class::REPORT) || word == "that" {
                return Some(REPORTED);
            }
            if is_conjunction(word) {
                return Some(SUBORDINATE);
            }
            let titles = Class::TITLE | Class::ORGANIZATION | Class::PLACE | Class::PRODUCT | Class::EVENT;
            let introduces = role_of(word).is_some() || is_profession(word) || is(word, titles);
            start = if introduces || is(word, Class::DETERMINER) {
                self.start_of_noun_phrase(before)
            } else if is_adverb(word) || is(word, Class::STARTER) {
                before
            } else {
                return None;
            };
        }
    }

    /// The start of "my old friend" or "Alice's brother", which ends at `noun`.
    fn start_of_noun_phrase(&self, noun: usize) -> usize {
        let mut start = noun;
        while let Some(before) = start.checked_sub(1) {
            let word = self.pieces.word(before);
            if self.pieces[before] == Piece::Possessive && before > 0 {
                return before - 1;
            }
            // "Acme CEO Bob"
            let company = start == noun && self.pieces.name(before).is_some();
            if !(company || is(word, Class::DETERMINER | Class::ADJECTIVE)) {
                break;
            }
            start = before;
        }
        start
    }

    /// "… and lives in Berlin": the subject of the verb before.
    fn shared_subject(&self, group: &Group) -> Option<Subject> {
        let (subject, _) = self.before.as_ref()?;
        (!group.base).then(|| subject.clone())
    }

    fn pronoun_subject(&self, pronoun: &str, place: usize) -> Option<Subject> {
        let taken = place.checked_sub(1).is_some_and(|before| {
            let word = self.pieces.word(before);
            is(word, Class::PREPOSITION) && !is(word, Class::CONJUNCTION)
        });
        let ids = self.scene.resolve(pronoun, place, &[])?;
        (!taken).then_some(Subject {
            ids,
            confidence: BY_PRONOUN,
        })
    }

    /// "Bob who", or "Alice is an engineer who".
    fn relative_subject(&self, who: usize) -> Option<Subject> {
        let before = who.checked_sub(1)?;
        if let Some(id) = self.pieces.name(before) {
            return (self.pieces.word(who) != "that").then(|| Subject {
                ids: vec![id],
                confidence: SUBORDINATE,
            });
        }
        let (subject, group) = self.before.as_ref()?;
        let described = matches!(group.voice, Voice::Copula)
            && group.sure
            && self.pieces[group.end..who]
                .iter()
                .all(|piece| matches!(piece, Piece::Word(word) if !is(word, Class::PREPOSITION)));
        described.then(|| Subject {
            ids: subject.ids.clone(),
            confidence: subject.confidence * SUBORDINATE,
        })
    }
}

/// A word after which a clause begins, and not only a name.
fn is_conjunction(word: &str) -> bool {
    let both = matches!(word, "since" | "before" | "after" | "as");
    both || is(word, Class::CONJUNCTION) && !is(word, Class::PREPOSITION)
}
