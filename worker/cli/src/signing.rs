//! `zerodb-hooks secret`: what a receiver verifies webhooks with. Of a hook that has a secret of its own it is printed
//! once; of a user it is the key that is made of the worker's secret; of a private key it is the public one.

use std::process::ExitCode;

use clap::Args;
use uuid::Uuid;

use super::args::Database;
use super::failure::CommandFailure;
use zerodb_hooks_delivery::secret::{SEALING, SIGNING};
use zerodb_hooks_http::sealing::SealingKey;
use zerodb_hooks_http::signature;
use zerodb_hooks_queries::{Client, HookSecret, keep_secret, newest_secrets, show_secret};

/// Options of `zerodb-hooks secret`.
#[derive(Args, Clone)]
pub struct SecretArgs {
    /// Where the hook is.
    #[command(flatten)]
    pub database: Database,

    /// The hook whose newest secret is printed, once: its id or its name; ZERODB_SEALING_KEY must be what the worker
    /// has
    #[arg(value_name = "ID|NAME", required_unless_present_any = ["user", "public"])]
    pub hook: Option<String>,

    /// The user whose hooks' webhooks are signed with it; ZERODB_SECRET_WEBHOOK must be what the worker has
    #[arg(long, value_name = "UUID", conflicts_with = "hook")]
    pub user: Option<Uuid>,

    /// The variable whose secret is a private key (whsk_…), of which the public one is printed
    #[arg(long, value_name = "VARIABLE", conflicts_with_all = ["hook", "user"])]
    pub public: Option<String>,
}

/// Prints it on a line of its own.
///
/// # Errors
/// When a variable is not set or holds none, for the nil UUID, whose hooks are signed with the variable itself, and for
/// a hook without a secret that may be shown.
pub async fn run(args: SecretArgs) -> anyhow::Result<ExitCode> {
    let printed = match (&args.user, &args.public, &args.hook) {
        (Some(user), _, _) => of_user(*user)?,
        (_, Some(variable), _) => public(variable)?,
        (_, _, Some(hook)) => of_hook(&args.database.client("secret").await?, hook).await?,
        _ => return Err(CommandFailure::usage("no hook is named", "give its id or name, or --user").into()),
    };
    println!("{printed}");
    Ok(ExitCode::SUCCESS)
}

fn of_user(user: Uuid) -> anyhow::Result<String> {
    if user.is_nil() {
        return Err(CommandFailure::usage(
            "hooks without a user are signed with ZERODB_SECRET_WEBHOOK itself",
            "give --user the UUID of a user",
        )
        .into());
    }
    let secret = std::env::var(SIGNING).unwrap_or_default();
    let hint = "set it to what the worker has: whsec_ and base64";
    if secret.is_empty() {
        return Err(CommandFailure::usage("ZERODB_SECRET_WEBHOOK is not set", hint).into());
    }
    Ok(signature::of_tenant(&secret, user)
        .map_err(|_| CommandFailure::usage("ZERODB_SECRET_WEBHOOK is not a signing secret", hint))?)
}

/// The first private key of the variable, as its public one.
fn public(variable: &str) -> anyhow::Result<String> {
    let value = std::env::var(variable).unwrap_or_default();
    let private = value
        .split_whitespace()
        .find(|secret| secret.starts_with("whsk_"));
    let verifier = private.and_then(|secret| signature::verifier(secret).ok());
    let hint = "set it to what the worker has: whsk_ and 32 or 64 bytes in base64";
    Ok(verifier.ok_or_else(|| CommandFailure::usage(format!("{variable} holds no private key"), hint))?)
}

async fn of_hook(client: &Client, hook: &str) -> anyhow::Result<String> {
    let found = newest_secrets(client, hook).await?;
    let [
        HookSecret {
            hook_id,
            number,
            sealed,
            is_shown,
        },
    ] = found.as_slice()
    else {
        return Err(match found.len() {
            0 => CommandFailure::new(
                format!("there is no hook {hook:?}"),
                "`zerodb-hooks hooks` shows the ids and names",
            ),
            _ => CommandFailure::new(format!("there are several hooks {hook:?}"), "give the id of one"),
        }
        .into());
    };
    let again = format!("make a new one: SELECT zerodb.rotate_secret('{hook_id}')");
    let Some(number) = *number else {
        return Err(CommandFailure::new("the hook has no secret of its own".to_owned(), again).into());
    };
    if *is_shown {
        return Err(CommandFailure::new("the secret was shown before".to_owned(), again).into());
    }
    let key = sealing_key()?;
    let sealed = match sealed {
        Some(sealed) => sealed.clone(),
        None => {
            let (_, drawn) = key.draw(*hook_id, number)?;
            let kept = keep_secret(client, *hook_id, number, &drawn).await?;
            let hint = "run the command again";
            kept.ok_or_else(|| CommandFailure::new("the secret is being changed".to_owned(), hint))?
        }
    };
    let secret = key.open(*hook_id, number, &sealed)?;
    match show_secret(client, *hook_id, number).await? {
        true => Ok(secret),
        false => Err(CommandFailure::new("the secret was shown before".to_owned(), again).into()),
    }
}

fn sealing_key() -> anyhow::Result<SealingKey> {
    let key = std::env::var(SEALING).unwrap_or_default();
    let hint = "set it to what the worker has; make one with: head -c 32 /dev/urandom | base64";
    Ok(SealingKey::parse(&key)
        .map_err(|_| CommandFailure::usage("ZERODB_SEALING_KEY is not set to 32 bytes in base64", hint))?)
}
