//! Standard Webhooks signatures over `id.timestamp.body`: `v1`, HMAC-SHA256, by secrets `whsec_…`, and `v1a`, Ed25519,
//! by keys `whsk_…`. Pure.
//!
//! A secret may be several, with white space between: each signs, so that a receiver may have any of them while they
//! change.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use ring::signature::{Ed25519KeyPair, KeyPair};
use sha2::Sha256;
use standardwebhooks::Webhook;
use uuid::Uuid;

/// The begin of a secret, before its base64.
const PREFIX: &str = "whsec_";
/// The begin of a private key, which signs as `v1a`, and of its public one.
const PRIVATE_PREFIX: &str = "whsk_";
const PUBLIC_PREFIX: &str = "whpk_";
const SEED: usize = 32;
/// The most signatures of a request.
const MOST: usize = 10;

#[derive(Debug, thiserror::Error)]
#[error(
    "the signing secret is not valid: expected whsec_ and base64, whsk_ and base64, or several of them with spaces between"
)]
pub struct BadSecret;

/// The value of `webhook-signature`: a signature for each secret, in their order.
///
/// # Errors
/// When one is neither `whsec_` nor `whsk_` with base64, and when there is none or too many.
pub fn sign(secrets: &str, id: &str, timestamp: i64, body: &str) -> Result<String, BadSecret> {
    let mut signatures = Vec::new();
    for secret in secrets.split_whitespace() {
        signatures.push(match secret.strip_prefix(PRIVATE_PREFIX) {
            Some(key) => sign_asymmetric(key, id, timestamp, body)?,
            None => Webhook::new(secret)
                .and_then(|webhook| webhook.sign(id, timestamp, body.as_bytes()))
                .map_err(|_| BadSecret)?,
        });
    }
    match (1..=MOST).contains(&signatures.len()) {
        true => Ok(signatures.join(" ")),
        false => Err(BadSecret),
    }
}

fn sign_asymmetric(key: &str, id: &str, timestamp: i64, body: &str) -> Result<String, BadSecret> {
    let signed = key_pair(key)?.sign(format!("{id}.{timestamp}.{body}").as_bytes());
    Ok(format!("v1a,{}", STANDARD.encode(signed)))
}

/// From the base64 of a seed, or of a seed with its public key behind it, as other libraries write it.
fn key_pair(key: &str) -> Result<Ed25519KeyPair, BadSecret> {
    let bytes = STANDARD.decode(key).map_err(|_| BadSecret)?;
    let pair = match bytes.split_at_checked(SEED) {
        Some((seed, [])) => Ed25519KeyPair::from_seed_unchecked(seed),
        Some((seed, public)) => Ed25519KeyPair::from_seed_and_public_key(seed, public),
        None => return Err(BadSecret),
    };
    pair.map_err(|_| BadSecret)
}

/// What a receiver verifies with: the public key of `whsk_…`, and a secret `whsec_…` itself.
///
/// # Errors
/// As for `sign`.
fn verifier(secret: &str) -> Result<String, BadSecret> {
    match secret.strip_prefix(PRIVATE_PREFIX) {
        Some(key) => {
            let public = key_pair(key)?;
            Ok(format!("{PUBLIC_PREFIX}{}", STANDARD.encode(public.public_key())))
        }
        None => Webhook::new(secret)
            .map(|_| secret.to_owned())
            .map_err(|_| BadSecret),
    }
}

/// The public key of the first private one among some secrets; `None` where there is none that is valid.
pub fn public_key(secrets: &str) -> Option<String> {
    let mut secrets = secrets.split_whitespace();
    let private = secrets.find(|secret| secret.starts_with(PRIVATE_PREFIX))?;
    verifier(private).ok()
}

/// A secret from 32 random bytes.
pub fn secret_of(random: &[u8; 32]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(random))
}

/// The secrets that sign for one tenant, each derived from one that signs for none: HKDF-SHA256 without a salt, with
/// the tenant's id in its usual form as info. Their holder can neither sign for another tenant nor find what they
/// were derived from. A private key signs for no tenant.
///
/// # Errors
/// When there is no `whsec_` with base64 among them.
pub fn of_tenant(secrets: &str, tenant: Uuid) -> Result<String, BadSecret> {
    let symmetric = secrets
        .split_whitespace()
        .filter(|secret| !secret.starts_with(PRIVATE_PREFIX));
    let derived: Vec<String> = symmetric
        .map(|secret| derive(secret, tenant))
        .collect::<Result<_, _>>()?;
    match derived.is_empty() {
        true => Err(BadSecret),
        false => Ok(derived.join(" ")),
    }
}

fn derive(secret: &str, tenant: Uuid) -> Result<String, BadSecret> {
    let bytes = STANDARD
        .decode(secret.strip_prefix(PREFIX).unwrap_or(secret))
        .map_err(|_| BadSecret)?;
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, &bytes)
        .expand(tenant.hyphenated().to_string().as_bytes(), &mut key)
        .map_err(|_| BadSecret)?;
    Ok(secret_of(&key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const SECOND: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const PRIVATE: &str =
        "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";

    /// The vectors of the Standard Webhooks reference libraries.
    #[test]
    fn the_reference_vectors_are_met() {
        let body = r#"{"email":"test@example.com","username":"test_user"}"#;
        assert_eq!(
            sign(FIRST, "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body).unwrap(),
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="
        );
        let sign = |secret| sign(secret, ID, 1_614_265_330, r#"{"test": 2432232314}"#).unwrap();
        let (v1, v1a) = (
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
        );
        assert_eq!(sign(SECOND), v1);
        assert_eq!(sign(PRIVATE), v1a);
        assert_eq!(sign(&format!("{SECOND}  {PRIVATE}\n")), format!("{v1} {v1a}"));
    }

    #[test]
    fn a_receiver_gets_the_public_key_of_a_private_one() {
        let public = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
        assert_eq!(verifier(PRIVATE).unwrap(), public);
        assert_eq!(public_key(&format!("{FIRST} {PRIVATE}")).as_deref(), Some(public));
        assert_eq!(public_key(FIRST), None);
        let seed_alone = format!(
            "whsk_{}",
            STANDARD.encode(&STANDARD.decode(&PRIVATE[5..]).unwrap()[..32])
        );
        assert_eq!(verifier(&seed_alone).unwrap(), public);
        assert_eq!(verifier(FIRST).unwrap(), FIRST);
    }

    #[test]
    fn a_bad_secret_is_refused() {
        let other_public = PRIVATE.replace("6Kvg==", "6Kvw==");
        for secret in [
            "whsec_not base64!",
            "",
            " ",
            "whsk_",
            "whsk_AAAA",
            &other_public,
            &[FIRST; 11].join(" "),
        ] {
            assert!(sign(secret, "msg_1", 0, "{}").is_err(), "{secret}");
        }
    }

    #[test]
    fn each_tenant_has_a_secret_of_its_own() {
        let of = |tenant| of_tenant(SECOND, Uuid::from_u128(tenant)).unwrap();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        assert!(sign(&of(1), "msg_1", 0, "{}").is_ok());
        assert!(of_tenant("whsec_not base64!", Uuid::nil()).is_err());
        let both = of_tenant(&format!("{FIRST} {PRIVATE} {SECOND}"), Uuid::from_u128(1)).unwrap();
        assert_eq!(both.split(' ').nth(1), Some(of(1).as_str()));
        assert!(of_tenant(PRIVATE, Uuid::from_u128(1)).is_err());
    }
}
