//! Signing secrets as the database keeps them: sealed with AES-256-GCM under a key of the worker's environment, each
//! for one hook and number, so that none can be put in another's place. Never shows a key or a secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;

use crate::signature::secret_of;

/// The form of what is sealed, as its first byte.
const FORM: u8 = 1;

/// A key that seals.
pub struct SealingKey(LessSafeKey);

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    #[error("the key is not 32 bytes in base64")]
    BadKey,
    #[error("the signing secret was sealed with another key, or is damaged")]
    NotOurs,
    #[error("the system gives no random bytes")]
    NoRandom,
}

impl SealingKey {
    /// # Errors
    /// `BadKey`, also for one that is only zeros.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| SealError::BadKey)?;
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(SealError::BadKey);
        }
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| SealError::BadKey)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// A new secret `whsec_…`, and the same sealed.
    ///
    /// # Errors
    /// `NoRandom`.
    pub fn draw(&self, hook: Uuid, number: i32) -> Result<(String, Vec<u8>), SealError> {
        let mut random = [0; 32];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| SealError::NoRandom)?;
        let secret = secret_of(&random);
        let sealed = self.seal(hook, number, &secret)?;
        Ok((secret, sealed))
    }

    fn seal(&self, hook: Uuid, number: i32, secret: &str) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new()
            .fill(&mut nonce)
            .map_err(|_| SealError::NoRandom)?;
        let mut text = secret.as_bytes().to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                place(hook, number),
                &mut text,
            )
            .map_err(|_| SealError::BadKey)?;
        Ok([&[FORM], &nonce[..], &text].concat())
    }

    /// # Errors
    /// `NotOurs`.
    pub fn open(&self, hook: Uuid, number: i32, sealed: &[u8]) -> Result<String, SealError> {
        let Some((&[FORM], rest)) = sealed.split_first_chunk::<1>() else {
            return Err(SealError::NotOurs);
        };
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealError::NotOurs)?;
        let mut text = text.to_vec();
        let opened = self
            .0
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                place(hook, number),
                &mut text,
            )
            .map_err(|_| SealError::NotOurs)?;
        String::from_utf8(opened.to_vec()).map_err(|_| SealError::NotOurs)
    }
}

/// What a sealed secret is bound to.
fn place(hook: Uuid, number: i32) -> Aad<Vec<u8>> {
    Aad::from([hook.as_bytes().as_slice(), &number.to_be_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::sign;

    fn key(byte: u8) -> SealingKey {
        SealingKey::parse(&STANDARD.encode([byte; 32])).unwrap()
    }

    #[test]
    fn a_secret_is_opened_where_it_was_sealed_and_nowhere_else() {
        let (hook, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let (secret, sealed) = key(1).draw(hook, 3).unwrap();
        assert!(sign(&secret, "msg_1", 0, "{}").is_ok());
        assert_eq!(key(1).open(hook, 3, &sealed).as_deref(), Ok(secret.as_str()));
        assert_ne!(key(1).draw(hook, 3).unwrap().0, secret);
        for opened in [
            key(2).open(hook, 3, &sealed),
            key(1).open(other, 3, &sealed),
            key(1).open(hook, 4, &sealed),
            key(1).open(hook, 3, &sealed[..sealed.len() - 1]),
            key(1).open(hook, 3, &[]),
            key(1).open(hook, 3, &[FORM; 8]),
        ] {
            assert_eq!(opened, Err(SealError::NotOurs));
        }
        assert!(!sealed.windows(6).any(|window| window == b"whsec_"));
    }

    #[test]
    fn a_key_has_its_length() {
        for text in ["", "short", &STANDARD.encode([1; 31]), &STANDARD.encode([0; 32])] {
            assert_eq!(SealingKey::parse(text).err(), Some(SealError::BadKey), "{text}");
        }
    }
}
