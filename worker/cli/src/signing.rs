//! `zerodb-hooks secret`: what a receiver verifies webhooks with. Of a hook that has a secret of its own it is printed
//! once; of a user it is the key that is made of the worker's secret; of a private key it is the public one.

use std::process::ExitCode;

use clap::Args;
use uuid::Uuid;

use super::args::Database;
use super::failure::CommandFailure;
use zerodb_hooks_delivery::secret::{SIGNING, Secrets};
use zerodb_hooks_http::sealing::{NoSecret, SealingKey};
use zerodb_hooks_http::signature;
use zerodb_hooks_queries::{Client, HookSecret, QueryError, keep_secret, newest_secrets, show_secret};

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
    let public = signature::public_key(&std::env::var(variable).unwrap_or_default());
    let hint = "set it to what the worker has: whsk_ and 32 or 64 bytes in base64";
    Ok(public.ok_or_else(|| CommandFailure::usage(format!("{variable} holds no private key"), hint))?)
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
    let keep = |drawn: Vec<u8>| async move { keep_secret(client, *hook_id, number, &drawn).await };
    let opened = sealing_key()?
        .secret(*hook_id, number, sealed.as_deref(), keep)
        .await;
    let secret = opened.map_err(told)?;
    match show_secret(client, *hook_id, number).await? {
        true => Ok(secret),
        false => Err(CommandFailure::new("the secret was shown before".to_owned(), again).into()),
    }
}

fn told(error: NoSecret<QueryError>) -> anyhow::Error {
    match error {
        NoSecret::Keep(error) => error.into(),
        NoSecret::Changing => CommandFailure::new(error.to_string(), "run the command again").into(),
        NoSecret::Seal(error) => CommandFailure::new(
            error.to_string(),
            "give ZERODB_SEALING_KEY the value that the worker has",
        )
        .into(),
    }
}

fn sealing_key() -> Result<SealingKey, CommandFailure> {
    let hint = "set it to what the worker has; make one with: head -c 32 /dev/urandom | base64";
    SealingKey::of(&Secrets::new(std::env::vars()))
        .map_err(|error| CommandFailure::usage(error.to_string(), hint))
}
