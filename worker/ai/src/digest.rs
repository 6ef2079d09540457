//! The hashes by which unchanged texts are recognised. Pure.

use sha2::{Digest, Sha256};

/// SHA-256 of several texts. Each is preceded by its length, so that no two different lists have the same bytes.
pub fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().to_vec()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 in hex, the form of `Source::hash`.
pub fn source_of(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}
