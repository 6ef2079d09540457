//! References to secrets: `${ZERODB_SECRET_NAME}`. Pure.

use crate::error::Error;

const OPEN: &str = "${";
const PREFIX: &str = "ZERODB_SECRET_";

/// Whether the text is one reference and nothing else.
pub fn is_reference(text: &str) -> bool {
    text.strip_prefix(OPEN)
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(is_secret)
}

/// Whether the text holds a reference.
///
/// # Errors
/// When it holds one to something else, or one that is not closed.
pub fn holds_one(key: &str, text: &str) -> Result<bool, Error> {
    let mut rest = text;
    let mut found = false;
    while let Some(start) = rest.find(OPEN) {
        let (name, after) = rest[start + OPEN.len()..].split_once('}').unwrap_or_default();
        if !is_secret(name) {
            return Err(Error::ForeignVariable { key: key.into() });
        }
        (rest, found) = (after, true);
    }
    Ok(found)
}

/// The text with something else in the place of each reference.
pub fn replaced(text: &str, stand_in: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, reference)) = rest.split_once(OPEN) {
        replaced.push_str(before);
        replaced.push_str(stand_in);
        rest = reference.split_once('}').map_or("", |(_, after)| after);
    }
    replaced + rest
}

/// Whether somebody may have meant a reference, to whatever variable: `${NAME}`.
pub fn looks_like_one(text: &str) -> bool {
    text.split(OPEN).skip(1).any(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        name.starts_with("ZERODB_") || (!name.is_empty() && after.starts_with('}'))
    })
}

fn is_secret(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|name| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    })
}
