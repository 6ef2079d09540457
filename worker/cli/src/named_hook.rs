//! The one hook that a person means by an id or a name. A name that several have is an error: guessing would be worse.

use super::failure::CommandFailure;
use zerodb_hooks_queries::{Client, NamedHook, hooks_named};

/// # Errors
/// When the caller may see none, or several.
pub(super) async fn named_hook(client: &Client, id_or_name: &str) -> anyhow::Result<NamedHook> {
    let mut found = hooks_named(client, id_or_name).await?;
    match (found.pop(), found.len()) {
        (Some(hook), 0) => Ok(hook),
        (None, _) => Err(no_hook(id_or_name).into()),
        (Some(last), _) => {
            found.push(last);
            let ids: Vec<String> = found
                .iter()
                .take(3)
                .map(|hook| format!("{} ({})", hook.id, hook.event_type))
                .collect();
            let message = format!("there are several hooks {id_or_name:?}");
            Err(CommandFailure::new(message, format!("give the id of one: {}", ids.join(", "))).into())
        }
    }
}

/// What is said of a hook that is not there, or of another tenant.
pub(super) fn no_hook(id_or_name: &str) -> CommandFailure {
    CommandFailure::new(
        format!("there is no hook {id_or_name:?} here"),
        "`zerodb-hooks hooks` shows the ids and names; a role without admin rights sees those of zerodb.user_id only",
    )
}
