//! Standard Webhooks signatures (`v1`, HMAC-SHA256 over `id.timestamp.body`). Pure.

use standardwebhooks::Webhook;

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
}
