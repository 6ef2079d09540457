//! Owns what a possessive and a role say: "Alice's brother Bob", "her manager is Bob", "Acme CEO Bob". It must not look
//! at verbs, but for "is" and "was".

use super::arguments::name_list;
use super::dates::Period;
use super::lexicon::{Class, is};
use super::pieces::{Look, Piece};
use super::predicates::Predicate;
use super::roles::{Role, role_of};
use super::scene::Scene;

const STATED: f32 = 0.85;
const BY_PRONOUN: f32 = 0.65;

/// Enters what the possessives of a sentence state.
pub(super) fn read_possessives(pieces: &[Piece], scene: &mut Scene<'_>) {
    for at in 0..pieces.len() {
        if let Some((owner, noun, confidence)) = owner(pieces, at, scene) {
            read_owned(pieces, owner, noun, confidence, scene);
        } else if let Some(owner) = pieces.name(at) {
            read_office(pieces, owner, at + 1, scene);
            read_had(pieces, owner, at, scene);
        }
    }
}

/// The owner at a place, and where the noun phrase that it owns starts.
fn owner(pieces: &[Piece], at: usize, scene: &Scene<'_>) -> Option<(usize, usize, f32)> {
    if let Some(name) = pieces.name(at) {
        return (pieces.get(at + 1) == Some(&Piece::Possessive)).then_some((name, at + 2, STATED));
    }
    let pronoun = pieces.word(at);
    if !matches!(pronoun, "his" | "her" | "its") {
        return None;
    }
    let owners = scene.resolve(pronoun, at, &[])?;
    Some((*owners.first()?, at + 1, BY_PRONOUN))
}

fn read_owned(pieces: &[Piece], owner: usize, mut noun: usize, confidence: f32, scene: &mut Scene<'_>) {
    while is(pieces.word(noun), Class::ADJECTIVE) {
        noun += 1;
    }
    let Some(role) = role_of(pieces.word(noun)) else {
        return;
    };
    let next = noun + 1;
    if let Some((names, _)) = name_list(pieces, next) {
        return claim(scene, &names, role, owner, false, confidence);
    }
    let is_verb = matches!(pieces.word(next), "is" | "was" | "are" | "were");
    let stated = is_verb && pieces.get(next + 2) != Some(&Piece::Possessive);
    if let Some((names, _)) = name_list(pieces, next + 1).filter(|_| stated) {
        return claim(
            scene,
            &names,
            role,
            owner,
            pieces.word(next).starts_with('w'),
            confidence,
        );
    }
    // "Alice's brother, Bob, lives in Berlin."
    let between_commas =
        pieces.get(next) == Some(&Piece::Comma) && matches!(pieces.get(next + 2), Some(Piece::Comma) | None);
    if let Some(name) = pieces.name(next + 1).filter(|_| between_commas) {
        claim(scene, &[name], role, owner, false, confidence);
    }
}

/// "Acme CEO Bob"
fn read_office(pieces: &[Piece], owner: usize, noun: usize, scene: &mut Scene<'_>) {
    let offices = "ceo cto cfo coo president chairman chairwoman founder co-founder director head";
    let office = offices.split(' ').any(|office| office == pieces.word(noun));
    let role = role_of(pieces.word(noun)).filter(|_| office);
    if let (Some(role), Some(name)) = (role, pieces.name(noun + 1)) {
        claim(scene, &[name], role, owner, false, STATED);
    }
}

/// "Alice has a brother named Bob."
fn read_had(pieces: &[Piece], owner: usize, at: usize, scene: &mut Scene<'_>) {
    let opens = at
        .checked_sub(1)
        .is_none_or(|before| matches!(pieces[before], Piece::Comma | Piece::Stop));
    if !opens || pieces.word(at + 1) != "has" || !matches!(pieces.word(at + 2), "a" | "an") {
        return;
    }
    let mut noun = at + 3;
    while is(pieces.word(noun), Class::ADJECTIVE) {
        noun += 1;
    }
    let named = usize::from(matches!(pieces.word(noun + 1), "named" | "called"));
    if let (Some(role), Some(name)) = (role_of(pieces.word(noun)), pieces.name(noun + 1 + named)) {
        claim(scene, &[name], role, owner, false, STATED);
    }
}

fn claim(scene: &mut Scene<'_>, names: &[usize], role: Role, owner: usize, past: bool, confidence: f32) {
    scene.claim(
        names,
        &Predicate::role(role, past),
        &[owner],
        confidence,
        &Period::default(),
    );
}
