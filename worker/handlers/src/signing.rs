//! Which secrets sign the requests of a hook: those that were made for it, those that its config names, or the worker's
//! own. Draws one that was asked for and is not there yet.

use std::time::Duration;

use jiff::Timestamp;

use zerodb_hooks_contract::hooks;
use zerodb_hooks_delivery::hook::{Hook, SigningSecret};
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_delivery::secret::{HookSecrets, SIGNING};
use zerodb_hooks_engine::Context;
use zerodb_hooks_http::sealing::{SealError, SealingKey};
use zerodb_hooks_http::signature;

use crate::refusal::secret_error;

/// The wait of a delivery that this worker cannot sign. Another one may have the key.
const WITHOUT_KEY: Duration = Duration::from_secs(60);

/// The secrets that sign, with spaces between; `None` where there is none.
///
/// # Errors
/// Those of a secret, and transient while a secret that was made cannot be read.
pub async fn secrets_of(
    context: &Context,
    hook: &Hook,
    config: &hooks::Webhook,
    secrets: &mut HookSecrets<'_>,
) -> Result<Option<String>, HandlerError> {
    if hook.signing.is_empty() {
        return given(context, hook, config, secrets);
    }
    let key = sealing_key(context)?;
    let now = Timestamp::now();
    let mut valid = Vec::new();
    let is_valid = |secret: &&SigningSecret| secret.valid_until.is_none_or(|until| until > now);
    for secret in hook.signing.iter().filter(is_valid) {
        if secret.number == 0 {
            valid.extend(given(context, hook, config, secrets)?);
        } else {
            valid.push(made(context, hook, secret, &key).await?);
        }
    }
    Ok(Some(valid.join(" ")))
}

/// The secret of the config, or the worker's: itself for a hook of no tenant, a key made of it for a tenant's.
fn given(
    context: &Context,
    hook: &Hook,
    config: &hooks::Webhook,
    secrets: &mut HookSecrets<'_>,
) -> Result<Option<String>, HandlerError> {
    if let Some(reference) = &config.secret {
        return secrets.expand(reference).map(Some).map_err(secret_error);
    }
    let default = context.secrets.get(SIGNING);
    match (default, hook.tenant()) {
        (Some(secret), Some(tenant)) => signature::of_tenant(secret, tenant)
            .map(Some)
            .map_err(|error| HandlerError::permanent(error.to_string())),
        (secret, _) => Ok(secret.map(str::to_owned)),
    }
}

/// A worker that has no key may get one when it is started again, so the delivery waits for it.
fn sealing_key(context: &Context) -> Result<SealingKey, HandlerError> {
    SealingKey::of(&context.secrets).map_err(|error| match error {
        SealError::NoKey => HandlerError::Deferred {
            message: "no_sealing_key: the hook's signing secret was made by zerodb.rotate_secret: \
                      set ZERODB_SEALING_KEY where the worker runs"
                .into(),
            after: WITHOUT_KEY,
        },
        error => HandlerError::transient(error.to_string()),
    })
}

async fn made(
    context: &Context,
    hook: &Hook,
    secret: &SigningSecret,
    key: &SealingKey,
) -> Result<String, HandlerError> {
    let number = secret.number;
    let keep = |drawn: Vec<u8>| async move { context.store.seal_secret(hook.id, number, &drawn).await };
    let opened = key.secret(hook.id, number, secret.sealed.as_deref(), keep).await;
    opened.map_err(|error| HandlerError::transient(error.to_string()))
}
