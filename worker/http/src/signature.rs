//! Standard Webhooks signatures (`v1`, HMAC-SHA256 over `id.timestamp.body`). Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use sha2::Sha256;
use standardwebhooks::Webhook;
use uuid::Uuid;

/// The begin of a secret, before its base64.
const PREFIX: &str = "whsec_";

#[derive(Debug, thiserror::Error)]
#[error("the signing secret is not valid: expected whsec_ and base64")]
pub struct BadSecret;

/// The value of `webhook-signature`.
///
/// # Errors
/// When the secret is not `whsec_` and base64.
pub fn sign(secret: &str, id: &str, timestamp: i64, body: &str) -> Result<String, BadSecret> {
    Webhook::new(secret)
        .and_then(|webhook| webhook.sign(id, timestamp, body.as_bytes()))
        .map_err(|_| BadSecret)
}

/// The secret that signs for one tenant, derived from one that signs for none: HKDF-SHA256 without a salt, with the
/// tenant's id in its usual form as info. Its holder can neither sign for another tenant nor find the secret that it
/// was derived from.
///
/// # Errors
/// When the secret is not `whsec_` and base64.
pub fn of_tenant(secret: &str, tenant: Uuid) -> Result<String, BadSecret> {
    let bytes = STANDARD
        .decode(secret.strip_prefix(PREFIX).unwrap_or(secret))
        .map_err(|_| BadSecret)?;
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, &bytes)
        .expand(tenant.hyphenated().to_string().as_bytes(), &mut key)
        .map_err(|_| BadSecret)?;
    Ok(format!("{PREFIX}{}", STANDARD.encode(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the Standard Webhooks reference libraries.
    #[test]
    fn the_reference_vector_is_met() {
        let signature = sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(
            signature.unwrap(),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_bad_secret_is_refused() {
        assert!(sign("whsec_not base64!", "msg_1", 0, "{}").is_err());
    }

    #[test]
    fn each_tenant_has_a_secret_of_its_own() {
        let of =
            |tenant| of_tenant("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Uuid::from_u128(tenant)).unwrap();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        assert!(sign(&of(1), "msg_1", 0, "{}").is_ok());
        assert!(of_tenant("whsec_not base64!", Uuid::nil()).is_err());
    }
}
