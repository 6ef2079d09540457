//! The URL of a webhook. It is read by the reader by which the worker sends, so that what is accepted can be called.

use serde_json::{Value, json};
use url::{Host, ParseError, Url as Parsed};

use crate::fault::Fault;
use crate::setting::Setting;
use crate::{credential, network, secret};

/// In characters.
const LONGEST: usize = 8192;
/// What stands for a secret while the rest is looked at: the first fits wherever a reference may be, the second as a
/// port.
const STAND_INS: &[&str] = &["a", "1"];

/// Where a request goes: `http://` or `https://`, with references to secrets in it or as a whole, which are not
/// replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url(String);

read_as_text!(Url);

impl Setting for Url {
    const JSON_TYPE: &'static str = "text";

    fn expected() -> String {
        format!("an http:// or https:// URL without white space, of at most {LONGEST} characters")
    }

    fn schema() -> Value {
        let pattern = format!(
            "^([Hh][Tt][Tt][Pp][Ss]?://\\S+|\\$\\{{{}[A-Z0-9_]+\\}})$",
            secret::PREFIX
        );
        json!({"type": "string", "pattern": pattern, "maxLength": LONGEST})
    }

    fn read(path: &str, value: &Value) -> Result<Self, Fault> {
        match value.as_str() {
            Some(text) => Ok(Self(text.to_owned())),
            None => Err(Fault::bad_value(path, Self::expected())),
        }
    }

    /// Refuses what cannot be called, refers to what is no secret, or holds a credential that is written out.
    fn check(&self, path: &str) -> Result<(), Fault> {
        let text: &str = self;
        if secret::is_reference(text) {
            return Ok(());
        }
        let foreign = || Fault::foreign_variable(path, text);
        secret::refers(text).ok_or_else(foreign)?;
        if !is_whole(text) {
            return Err(Fault::bad_value(path, Self::expected()));
        }
        let url = parsed(text).map_err(|error| {
            let expected = format!("{}; of this one the reader says: {error}", Self::expected());
            Fault::bad_value(path, expected)
        })?;
        if url.port() == Some(0) {
            return Err(Fault::bad_value(path, "a port from 1 to 65535"));
        }
        if parts(text).0.contains('@') {
            return Err(Fault::UserInUrl { key: path.into() });
        }
        for (name, value) in written_parameters(text) {
            let is_credential = credential::is_name(&name) && !value.is_empty();
            if is_credential && !secret::refers(&value).ok_or_else(foreign)? {
                return Err(Fault::LiteralSecret { key: path.into() });
            }
        }
        Ok(())
    }
}

impl Url {
    /// Scheme, host and port, parted by colons, in the reader's form; where one of them is a secret, as it is written,
    /// with the reference. Nothing of path, query and user.
    pub fn origin(&self) -> String {
        let text: &str = self;
        let Some(rest) = after_scheme(text) else {
            let is_reference = secret::is_reference(text);
            return if is_reference {
                text.to_owned()
            } else {
                String::new()
            };
        };
        let authority = parts(text).0.rsplit('@').next().unwrap_or_default();
        let scheme = text[..text.len() - rest.len()]
            .trim_end_matches("://")
            .to_lowercase();
        let is_written = secret::references(authority).next().is_none();
        match parsed(text) {
            Ok(url) if is_written => {
                let port = url.port_or_known_default().unwrap_or_default();
                format!("{scheme}:{}:{port}", url.host_str().unwrap_or_default())
            }
            _ => format!("{scheme}:{authority}"),
        }
    }

    /// Refuses a host that is spelled out and is no public address, in whatever notation. A name is looked up only when
    /// something is sent, and so is what a secret holds.
    pub(crate) fn check_public(&self, path: &str) -> Result<(), Fault> {
        let authority = parts(self).0;
        if secret::references(authority).next().is_some() {
            return Ok(());
        }
        let is_public = match parsed(self).as_ref().map(Parsed::host) {
            Ok(Some(Host::Ipv4(address))) => network::is_public(address.into()),
            Ok(Some(Host::Ipv6(address))) => network::is_public(address.into()),
            Ok(Some(Host::Domain(name))) => !network::is_own_name(name),
            Ok(None) | Err(_) => true,
        };
        match is_public {
            true => Ok(()),
            false => Err(Fault::PrivateAddress { key: path.into() }),
        }
    }
}

/// The URL with something in the place of each reference.
fn parsed(text: &str) -> Result<Parsed, ParseError> {
    let mut parsed = Err(ParseError::EmptyHost);
    for stand_in in STAND_INS {
        parsed = Parsed::parse(&secret::replaced(text, stand_in));
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
