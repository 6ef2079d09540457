//! The URL of a webhook. Pure.

use super::{credential, reference};
use crate::error::Error;

/// In characters.
const LONGEST: usize = 2048;
pub const EXPECTED: &str = "an http:// or https:// URL without white space, of at most 2048 characters";

/// # Errors
/// When it is no URL, refers to what is no secret, or holds a credential that is written out.
pub fn check(key: &str, text: &str) -> Result<(), Error> {
    if reference::is_reference(text) {
        return Ok(());
    }
    reference::holds_one(key, text)?;
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .filter(|rest| is_whole(text, rest));
    let Some(rest) = rest else {
        return Err(Error::BadValue {
            key: key.into(),
            expected: EXPECTED.into(),
        });
    };
    let (authority, place) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err(Error::UserInUrl);
    }
    let (place, fragment) = place.split_once('#').unwrap_or((place, ""));
    let query = place.split_once('?').map_or("", |(_, query)| query);
    for (name, value) in parameters(query).chain(parameters(fragment)) {
        if credential::is_name(&name) && !value.is_empty() && !reference::holds_one(key, &value)? {
            return Err(Error::LiteralSecret { key: key.into() });
        }
    }
    Ok(())
}

fn is_whole(text: &str, after_scheme: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
    after_scheme.starts_with(|first: char| !matches!(first, '/' | '?' | '#' | ':'))
        && !text.chars().any(odd)
        && text.chars().count() <= LONGEST
}

/// Names and values, decoded. Some servers part them with semicolons.
fn parameters(query: &str) -> impl Iterator<Item = (String, String)> {
    query
        .split(';')
        .flat_map(|part| form_urlencoded::parse(part.as_bytes()))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
}
