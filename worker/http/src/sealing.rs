//! Signing secrets as the database keeps them: sealed with AES-256-GCM under a key of the worker's environment, each
//! for one hook and number, so that none can be put in another's place. Never shows a key or a secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;
use zerodb_hooks_delivery::secret::{SEALING, Secrets};

use crate::signature::secret_of;

/// The form of what is sealed, as its first byte.
const FORM: u8 = 1;

/// A key that seals.
pub struct SealingKey(LessSafeKey);

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    #[error("{SEALING} is not set")]
    NoKey,
    #[error("{SEALING} is not 32 bytes in base64")]
    BadKey,
    #[error("the signing secret was sealed with another key, or is damaged")]
    NotOurs,
    #[error("the system gives no random bytes")]
    NoRandom,
}

/// Why a hook's secret is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum NoSecret<E> {
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("the hook's signing secret is being changed")]
    Changing,
    /// What keeping it raised.
    #[error("{0}")]
    Keep(E),
}

impl SealingKey {
    /// The key of the environment.
    ///
    /// # Errors
    /// `NoKey`, and as for `parse`.
    pub fn of(secrets: &Secrets) -> Result<Self, SealError> {
        Self::parse(secrets.get(SEALING).ok_or(SealError::NoKey)?)
    }

    /// A hook's secret of this number. One that nobody has drawn yet is drawn, and sealed given to `keep`, which
    /// returns the one that is kept: another may have been quicker, or hold it (`None`).
    ///
    /// # Errors
    /// `Changing` where another session holds it; those of `keep`.
    pub async fn secret<E, F>(
        &self,
        hook: Uuid,
        number: i32,
        sealed: Option<&[u8]>,
        keep: impl FnOnce(Vec<u8>) -> F,
    ) -> Result<String, NoSecret<E>>
    where
        F: Future<Output = Result<Option<Vec<u8>>, E>>,
    {
        if let Some(sealed) = sealed {
            return Ok(self.open(hook, number, sealed)?);
        }
        let drawn = self.draw(hook, number)?;
        let kept = keep(drawn).await.map_err(NoSecret::Keep)?;
        Ok(self.open(hook, number, &kept.ok_or(NoSecret::Changing)?)?)
    }

    /// # Errors
    /// `BadKey`, also for one that is only zeros.
    fn parse(text: &str) -> Result<Self, SealError> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| SealError::BadKey)?;
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(SealError::BadKey);
        }
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| SealError::BadKey)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// A new secret `whsec_…`, sealed.
    fn draw(&self, hook: Uuid, number: i32) -> Result<Vec<u8>, SealError> {
        let mut random = [0; 32];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| SealError::NoRandom)?;
        self.seal(hook, number, &secret_of(&random))
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

    fn open(&self, hook: Uuid, number: i32, sealed: &[u8]) -> Result<String, SealError> {
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
        let sealed = key(1).draw(hook, 3).unwrap();
        let secret = key(1).open(hook, 3, &sealed).unwrap();
        assert!(sign(&secret, "msg_1", 0, "{}").is_ok());
        let another = key(1).draw(hook, 3).unwrap();
        assert_ne!(key(1).open(hook, 3, &another), Ok(secret));
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

    #[tokio::test]
    async fn a_secret_is_drawn_once_and_the_one_that_is_kept_counts() {
        let (hook, key) = (Uuid::from_u128(1), key(1));
        let quicker = key.draw(hook, 1).unwrap();
        let kept = async |answer: Result<Option<Vec<u8>>, &'static str>| {
            let keep = |_drawn| std::future::ready(answer);
            key.secret(hook, 1, None, keep).await
        };
        let secret = kept(Ok(Some(quicker.clone()))).await.unwrap();
        assert_eq!(key.open(hook, 1, &quicker), Ok(secret));
        assert!(matches!(kept(Ok(None)).await, Err(NoSecret::Changing)));
        assert!(matches!(kept(Err("no")).await, Err(NoSecret::Keep("no"))));
        let never = |_drawn| -> std::future::Ready<Result<_, &'static str>> { panic!("it is there") };
        assert!(key.secret(hook, 1, Some(&quicker), never).await.is_ok());
    }

    #[test]
    fn a_key_is_there_and_has_its_length() {
        assert_eq!(SealingKey::of(&Secrets::default()).err(), Some(SealError::NoKey));
        for text in ["", "short", &STANDARD.encode([1; 31]), &STANDARD.encode([0; 32])] {
            assert_eq!(SealingKey::parse(text).err(), Some(SealError::BadKey), "{text}");
        }
    }
}
