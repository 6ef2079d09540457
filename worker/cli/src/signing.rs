//! `zerodb-hooks secret`: the key that signs the webhooks of one user, for whoever receives them. Reads the worker's
//! secret from the environment and talks to nobody.

use std::process::ExitCode;

use clap::Args;
use uuid::Uuid;

use super::failure::CommandFailure;
use zerodb_hooks_delivery::secret::SIGNING;
use zerodb_hooks_http::signature;

/// Options of `zerodb-hooks secret`.
#[derive(Args, Clone)]
pub struct SecretArgs {
    /// The user whose hooks' webhooks are signed with it; ZERODB_SECRET_WEBHOOK must be what the worker has
    #[arg(long, value_name = "UUID")]
    pub user: Uuid,
}

/// Prints the key on a line of its own.
///
/// # Errors
/// When the variable is not set or no secret, and for the nil UUID, whose hooks are signed with the variable itself.
pub fn run(args: &SecretArgs) -> anyhow::Result<ExitCode> {
    if args.user.is_nil() {
        return Err(CommandFailure::usage(
            "hooks without a user are signed with ZERODB_SECRET_WEBHOOK itself",
            "give --user the UUID of a user",
        )
        .into());
    }
    let secret = std::env::var(SIGNING).unwrap_or_default();
    if secret.is_empty() {
        let hint = "set it to what the worker has: whsec_ and base64";
        return Err(CommandFailure::usage("ZERODB_SECRET_WEBHOOK is not set", hint).into());
    }
    let key = signature::of_tenant(&secret, args.user).map_err(|_| {
        let hint = "set it to what the worker has: whsec_ and base64";
        CommandFailure::usage("ZERODB_SECRET_WEBHOOK is not a signing secret", hint)
    })?;
    println!("{key}");
    Ok(ExitCode::SUCCESS)
}
