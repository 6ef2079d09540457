//! The URL of a webhook. Pure. The reader is the one by which the worker sends, so that what is accepted can be called.

use url::{ParseError, Url};

use super::{credential, reference};
use crate::error::Error;

/// In characters.
const LONGEST: usize = 8192;
pub const EXPECTED: &str = "an http:// or https:// URL without white space, of at most 8192 characters";
/// What stands for a secret while the rest is looked at: one of them fits wherever a reference may be, the second as a port.
const STAND_INS: &[&str] = &["a", "1"];

/// # Errors
/// When it is no URL, refers to what is no secret, or holds a credential that is written out.
pub fn check(key: &str, text: &str) -> Result<(), Error> {
    if reference::is_reference(text) {
        return Ok(());
    }
    reference::holds_one(key, text)?;
    let wrong = |expected: &str| Error::BadValue {
        key: key.into(),
        expected: expected.into(),
    };
    if !is_whole(text) {
        return Err(wrong(EXPECTED));
    }
    let url =
        parsed(text).map_err(|error| wrong(&format!("{EXPECTED}; of this one the reader says: {error}")))?;
    if url.port() == Some(0) {
        return Err(wrong("a port from 1 to 65535"));
    }
    if has_user(text) {
        return Err(Error::UserInUrl);
    }
    for (name, value) in written_parameters(text) {
        if credential::is_name(&name) && !value.is_empty() && !reference::holds_one(key, &value)? {
            return Err(Error::LiteralSecret { key: key.into() });
        }
    }
    Ok(())
}

/// The URL with something in the place of each reference.
fn parsed(text: &str) -> Result<Url, ParseError> {
    let mut parsed = Err(ParseError::EmptyHost);
    for stand_in in STAND_INS {
        parsed = Url::parse(&reference::replaced(text, stand_in));
        if parsed.is_ok() {
            break;
        }
    }
    parsed
}

/// What follows the scheme, which may be written in capitals; `None` where it is another one.
fn after_scheme(text: &str) -> Option<&str> {
    ["https://", "http://"].iter().find_map(|scheme| {
        let written = text.get(..scheme.len())?;
        written
            .eq_ignore_ascii_case(scheme)
            .then(|| &text[scheme.len()..])
    })
}

/// Stricter than the reader, which mends what it is given: `https:/host`, `https:\\host`, white space.
fn is_whole(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
    after_scheme(text)
        .is_some_and(|rest| rest.starts_with(|first: char| !matches!(first, '/' | '?' | '#' | ':')))
        && !text.chars().any(odd)
        && text.chars().count() <= LONGEST
}

/// Authority, and what follows it.
fn parts(text: &str) -> (&str, &str) {
    let rest = after_scheme(text).unwrap_or_default();
    rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()))
}

fn has_user(text: &str) -> bool {
    parts(text).0.contains('@')
}

/// The parameters of query and fragment, as they are written.
fn written_parameters(text: &str) -> impl Iterator<Item = (String, String)> {
    let (_, place) = parts(text);
    let (place, fragment) = place.split_once('#').unwrap_or((place, ""));
    let query = place.split_once('?').map_or("", |(_, query)| query);
    parameters(query).chain(parameters(fragment))
}

/// Names and values, decoded. Some servers part them with semicolons.
fn parameters(query: &str) -> impl Iterator<Item = (String, String)> {
    query
        .split(';')
        .flat_map(|part| form_urlencoded::parse(part.as_bytes()))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
}
