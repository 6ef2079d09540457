//! The headers of a webhook: those that are the receiver's business, not those of the connection, of the request's
//! length and place, or of its signature.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::fault::Fault;
use crate::setting::Setting;
use crate::{credential, secret};

const MOST: usize = 64;
/// In characters.
const LONGEST_NAME: usize = 128;
const LONGEST_VALUE: usize = 4096;

/// Headers of the connection (RFC 9110, 7.6.1) and of the request's place and length.
const RESERVED: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Beginnings of families of headers: of proxies, and of the signature.
const FAMILIES: &[&str] = &["proxy-", "webhook-"];

/// Whether a header is the worker's own, so that no hook may set it. `name` is in lower case.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family))
}

/// Names and values as the config has them, in its order; those that are null are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl Setting for Headers {
    const JSON_TYPE: &'static str = "object";

    fn expected() -> String {
        format!("an object of at most {MOST} headers, whose values are texts")
    }

    fn schema() -> Value {
        json!({"type": "object", "maxProperties": MOST,
            "propertyNames": {"pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", "maxLength": LONGEST_NAME},
            "additionalProperties": {"type": ["string", "null"], "maxLength": LONGEST_VALUE}})
    }

    fn shown(&self) -> String {
        "none".into()
    }

    fn read(path: &str, value: &Value) -> Result<Self, Fault> {
        let Some(given) = value.as_object() else {
            return Err(Fault::bad_value(path, Self::expected()));
        };
        let mut headers = Vec::with_capacity(given.len());
        for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
            match value.as_str() {
                Some(value) => headers.push((name.clone(), value.to_owned())),
                None => return Err(Fault::bad_value(&path_of(path, name), "a text")),
            }
        }
        Ok(Self(headers))
    }

    /// Refuses headers that cannot be sent as they are, the worker's own, and credentials that are written out.
    fn check(&self, path: &str) -> Result<(), Fault> {
        if self.0.len() > MOST {
            return Err(Fault::bad_value(path, Self::expected()));
        }
        let mut names = BTreeSet::new();
        for (name, value) in self.iter() {
            let lower = name.to_ascii_lowercase();
            check_one(path, name, &lower, value)?;
            if !names.insert(lower) {
                let expected = "each header once, in whatever case";
                return Err(Fault::bad_value(&path_of(path, name), expected));
            }
        }
        Ok(())
    }
}

fn check_one(path: &str, name: &str, lower: &str, value: &str) -> Result<(), Fault> {
    if !is_token(name) {
        let expected = format!("names of headers: letters, digits and \"-\", at most {LONGEST_NAME}");
        return Err(Fault::bad_value(path, expected));
    }
    let path = path_of(path, name);
    if is_reserved(lower) {
        return Err(Fault::ReservedHeader { name: name.into() });
    }
    if value.chars().count() > LONGEST_VALUE || value.chars().any(|c| c != '\t' && c.is_control()) {
        let expected = format!("a text without control characters, of at most {LONGEST_VALUE} characters");
        return Err(Fault::bad_value(&path, expected));
    }
    let must_be_secret = credential::is_name(lower) || credential::is_value(value);
    match secret::refers(value) {
        None => Err(Fault::foreign_variable(&path, value)),
        Some(false) if must_be_secret && !value.is_empty() => Err(Fault::LiteralSecret { key: path }),
        Some(_) => Ok(()),
    }
}

fn path_of(path: &str, name: &str) -> String {
    format!("{path}.{name}")
}

/// A token of RFC 9110, 5.6.2.
fn is_token(name: &str) -> bool {
    let sign = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(sign)
}

#[cfg(test)]
mod tests {
    use super::is_reserved;

    #[test]
    fn the_workers_own_headers_are_reserved() {
        for name in [
            "host",
            "content-length",
            "transfer-encoding",
            "connection",
            "te",
            "proxy-x",
            "webhook-signature",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        for name in [
            "authorization",
            "content-type",
            "x-webhook-id",
            "x-host",
            "traceparent",
        ] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
