//! Owns what is put between a name and its verb: ", who lives in Berlin,". It takes such parts out of a sentence, so
//! that both it and they can be read as plain clauses. It must not read them.

use super::groups::group;
use super::lexicon::{Class, is};
use super::pieces::{Look, Piece};
use super::roles::{is_profession, role_of};
use super::verbs::{is_adjectival, is_participle, lookup};

/// A part that says something of the name before it.
#[derive(Debug)]
pub(super) struct Bracket {
    pub about: usize,
    /// Such that the name can be put before them as the subject, or, for [`Sense::Where`], a clause of its own.
    pub pieces: Vec<Piece>,
    pub sense: Sense,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sense {
    /// The name is the subject.
    Subject,
    /// The name is the place: ", where Alice works,".
    Where,
    /// Nothing that is understood.
    Other,
}

/// The sentence without its brackets, and the brackets.
pub(super) fn split(pieces: &[Piece]) -> (Vec<Piece>, Vec<Bracket>) {
    let (mut main, mut brackets) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < pieces.len() {
        if let Some((bracket, end)) = bracket(pieces, at) {
            brackets.push(bracket);
            at = end;
        } else {
            main.push(pieces[at].clone());
            at += 1;
        }
    }
    (main, brackets)
}

/// The bracket whose first comma is at `at`, and where the sentence goes on.
fn bracket(pieces: &[Piece], at: usize) -> Option<(Bracket, usize)> {
    let about = at.checked_sub(1).and_then(|before| pieces.name(before))?;
    if pieces[at] != Piece::Comma {
        return None;
    }
    let start = at + 1;
    let (sense, verb) = sense(pieces, start)?;
    let end = end(pieces, start);
    let inner = pieces[start + usize::from(sense != Sense::Subject || verb == Supplied::Nothing)..end]
        .iter()
        .cloned();
    let supplied = (verb == Supplied::Is).then(|| Piece::Word("is".to_owned()));
    let bracket = Bracket {
        about,
        pieces: supplied.into_iter().chain(inner).collect(),
        sense,
    };
    Some((bracket, (end + 1).min(pieces.len())))
}

/// Whether the verb of a bracket must be put in.
#[derive(PartialEq)]
enum Supplied {
    /// It begins with "who", "which" or "where", and has its own.
    Nothing,
    /// ", based in Berlin,", ", the CEO of Acme,"
    Is,
}

fn sense(pieces: &[Piece], start: usize) -> Option<(Sense, Supplied)> {
    let word = pieces.word(start);
    match word {
        "who" | "which" if group(pieces, start + 1).is_some() => {
            return Some((Sense::Subject, Supplied::Nothing));
        }
        "where" => return Some((Sense::Where, Supplied::Nothing)),
        "who" | "which" | "whom" | "whose" => return Some((Sense::Other, Supplied::Nothing)),
        _ => {}
    }
    let participle = lookup(word).is_some_and(|(_, form)| is_participle(form)) || is_adjectival(word);
    let goes_on = is(pieces.word(start + 1), Class::PREPOSITION)
        || matches!(pieces.get(start + 1), Some(Piece::Date(_)));
    if participle && goes_on {
        return Some((Sense::Subject, Supplied::Is));
    }
    let owned = pieces.name(start).is_some() && pieces.get(start + 1) == Some(&Piece::Possessive);
    let mut noun = if owned { start + 2 } else { start };
    let article = matches!(pieces.word(noun), "a" | "an" | "the" | "his" | "her" | "its");
    noun += usize::from(article);
    while is(pieces.word(noun), Class::ADJECTIVE) && !pieces.word(noun + 1).is_empty() {
        noun += 1;
    }
    let (noun, next) = (pieces.word(noun), pieces.word(noun + 1));
    let role = role_of(noun).is_some() || is_profession(noun);
    // Without an article only "CEO of" is one: a bare noun may begin anything.
    let apposition =
        owned && role || article && !noun.is_empty() || role && matches!(next, "of" | "at" | "in");
    apposition.then_some((Sense::Subject, Supplied::Is))
}

/// The comma that closes a bracket: the first that a verb follows, else the first, else the end of the sentence.
fn end(pieces: &[Piece], start: usize) -> usize {
    let commas = || (start..pieces.len()).filter(|at| pieces[*at] == Piece::Comma);
    let before_verb = commas().find(|at| group(pieces, at + 1).is_some());
    before_verb.or_else(|| commas().next()).unwrap_or(pieces.len())
}
