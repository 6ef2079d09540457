//! The headers that a hook may set: not those of the connection, of the request's length and address, or of its
//! signature. Pure; the extension refuses the same when a hook is made.

use crate::failure::HttpError;

/// Headers of the connection (RFC 9110, 7.6.1) and of the request's address and length.
const OWN: &[&str] = &[
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

/// Refuses a header that a hook may not set; its name is in lower case.
///
/// # Errors
/// `Refused` with the name, never the value.
pub fn check(name: &str) -> Result<(), HttpError> {
    let is_own = OWN.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family));
    if is_own {
        return Err(HttpError::Refused {
            reason: format!("the header {name:?} is the worker's own"),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn the_workers_own_headers_are_refused() {
        for name in [
            "host",
            "content-length",
            "transfer-encoding",
            "connection",
            "te",
            "proxy-x",
            "webhook-signature",
        ] {
            assert!(check(name).is_err(), "{name}");
        }
        for name in [
            "authorization",
            "content-type",
            "x-webhook-id",
            "x-host",
            "traceparent",
        ] {
            assert!(check(name).is_ok(), "{name}");
        }
    }
}
