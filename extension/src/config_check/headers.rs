//! The headers of a webhook. Pure; the worker refuses the same ones when it sends.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{credential, reference};
use crate::error::Error;

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

/// # Errors
/// With the path of the first header that cannot be sent as it is, or that holds a credential that is written out.
pub fn check(key: &str, headers: &Map<String, Value>) -> Result<(), Error> {
    let wrong = |path: String, expected: &str| {
        Err(Error::BadValue {
            key: path,
            expected: expected.into(),
        })
    };
    if headers.len() > MOST {
        return wrong(key.into(), "at most 64 headers");
    }
    let mut names = BTreeSet::new();
    for (name, value) in headers {
        if value.is_null() {
            continue;
        }
        let Some(value) = value.as_str() else {
            return wrong(key.into(), "an object whose values are texts");
        };
        if !is_token(name) {
            return wrong(
                key.into(),
                "names of headers: letters, digits and \"-\", at most 128",
            );
        }
        let (path, lower) = (format!("{key}.{name}"), name.to_ascii_lowercase());
        if is_reserved(&lower) {
            return Err(Error::ReservedHeader { name: name.clone() });
        }
        if !is_value(value) {
            return wrong(
                path,
                "a text without control characters, of at most 4096 characters",
            );
        }
        let must_be_secret = credential::is_name(&lower) || credential::is_value(value);
        if !reference::holds_one(&path, value)? && must_be_secret && !value.is_empty() {
            return Err(Error::LiteralSecret { key: path });
        }
        if !names.insert(lower) {
            return wrong(path, "each header once, in whatever case");
        }
    }
    Ok(())
}

fn is_reserved(lower: &str) -> bool {
    RESERVED.contains(&lower) || FAMILIES.iter().any(|family| lower.starts_with(family))
}

/// A token of RFC 9110, 5.6.2.
fn is_token(name: &str) -> bool {
    let sign = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(sign)
}

fn is_value(value: &str) -> bool {
    value.chars().count() <= LONGEST_VALUE && value.chars().all(|c| c == '\t' || !c.is_control())
}
