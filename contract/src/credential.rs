//! Which names of headers and of URL parameters stand for credentials. Pure. Rather takes too many for one: their
//! values must then be references, which is no loss.

/// Words that are a credential's name, or a part of it between other signs.
const WORDS: &[&str] = &[
    "auth",
    "authentication",
    "bearer",
    "jwt",
    "key",
    "pass",
    "pwd",
    "session",
    "sid",
    "sig",
];
/// Parts of words that are enough.
const PARTS: &[&str] = &[
    "apikey",
    "authorization",
    "cookie",
    "credential",
    "passphrase",
    "passwd",
    "password",
    "secret",
    "signature",
    "token",
];
/// Names with such a word that are none: what is sent is no secret.
const HARMLESS: &[&str] = &[
    "idempotency-key",
    "partition-key",
    "routing-key",
    "x-idempotency-key",
    "x-partition-key",
    "x-routing-key",
];
/// Schemes whose parameters are credentials, whatever the header's name is.
const SCHEMES: &[&str] = &["basic ", "bearer "];

/// Whether what has this name is a credential.
pub fn is_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    if HARMLESS.contains(&name.as_str()) {
        return false;
    }
    let joined: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    PARTS.iter().any(|part| joined.contains(part))
        || name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| WORDS.contains(&word))
}

/// Whether the value of a header is a credential by its own words.
pub fn is_value(value: &str) -> bool {
    let value = value.trim_start().to_ascii_lowercase();
    SCHEMES.iter().any(|scheme| value.starts_with(scheme))
}
