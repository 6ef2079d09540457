//! Owns what the words of a name, and those around it, show it to be. It must not decide what is a name.

use super::entities::EntityType;
use super::lexicon::{Class, class, is};
use super::roles::{is_profession, role_of};
use super::tokens::Token;

/// The type that the words of a name show: "Acme Inc", "Lake Constance", "PyCon".
pub(super) fn form_cue(tokens: &[Token<'_>]) -> Option<EntityType> {
    let (first, last) = (tokens.first()?, tokens.last()?);
    let clean = |token: &Token<'_>| class(&token.folded);
    let several = tokens.len() > 1;
    let head_of = tokens
        .iter()
        .position(|token| token.folded == "of")
        .map_or(Class::default(), |of| clean(&tokens[of.saturating_sub(1)]));
    let ends = if head_of == Class::default() {
        clean(last)
    } else {
        head_of
    };
    if several && ends.has(Class::EVENT)
        || ["Con", "Conf", "Fest"]
            .iter()
            .any(|end| last.text.len() > 4 && last.text.ends_with(end))
    {
        return Some(EntityType::Event);
    }
    if several && ends.has(Class::LEGAL | Class::ORGANIZATION) {
        return Some(EntityType::Organization);
    }
    if clean(first).has(Class::KNOWN_PLACE) && !several {
        return Some(EntityType::Location);
    }
    if several && (ends.has(Class::PLACE) || clean(first).has(Class::PLACE)) {
        return Some(EntityType::Location);
    }
    if clean(first).has(Class::MALE | Class::FEMALE) && !clean(first).has(Class::KNOWN_PRODUCT) {
        return Some(EntityType::Person);
    }
    clean(first)
        .has(Class::KNOWN_PRODUCT)
        .then_some(EntityType::Product)
}

/// The type that the words around a name show: "Dr. Smith", "the city of Ulm", "the project Falcon", "the Falcon
/// project".
pub(super) fn neighbour_cue(tokens: &[Token<'_>], first: usize, end: usize) -> Option<EntityType> {
    let before = |back: usize| {
        first
            .checked_sub(back)
            .map_or("", |place| tokens[place].folded.as_str())
    };
    let noun = if before(1) == "of" { before(2) } else { before(1) };
    let after = tokens.get(end).map_or("", |token| token.folded.as_str());
    let title = |word: &str| is(word, Class::TITLE) || is_profession(word);
    let acronym = tokens.get(first).is_some_and(Token::is_acronym);
    if before(1) != "of"
        && !acronym
        && (title(before(1)) || role_of(before(1)).is_some_and(|role| role.bearer == EntityType::Person))
    {
        return Some(EntityType::Person);
    }
    if is(noun, Class::PLACE) {
        return Some(EntityType::Location);
    }
    if is(before(1), Class::PRODUCT) || is(after, Class::PRODUCT) {
        return Some(EntityType::Product);
    }
    is(before(1), Class::ORGANIZATION).then_some(EntityType::Organization)
}
