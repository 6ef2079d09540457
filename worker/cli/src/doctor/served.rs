//! Check of hooks that name a model and no provider, where the built-in local provider is the default: it knows no
//! models, and says so in no row but by its own name. Asks nobody but the database.

use uuid::Uuid;

use super::DoctorArgs;
use super::finding::{Checked, Finding, some_of};
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_queries::{Client, HookFilter, hooks};

/// Hooks that are served by hashed words instead of the model that they name.
pub(super) async fn served(client: &Client, args: &DoctorArgs) -> Checked {
    let providers = match args.models.providers(&args.database) {
        Ok(providers) => providers,
        // The check of the models tells it.
        Err(_) => return Ok(Finding::ok("not known without the worker's file")),
    };
    let nobody = Uuid::nil();
    let mut replaced = Vec::new();
    for hook in hooks(client, &HookFilter::active()).await? {
        let hook = Hook::new(
            nobody,
            0,
            nobody,
            &hook.hook_type,
            hook.hook_name,
            &hook.hook_config,
        );
        if let Some(model) = providers.replaces(&hook) {
            replaced.push(format!("{} names the model {model:?}", hook.name));
        }
    }
    if replaced.is_empty() {
        return Ok(Finding::ok("every hook gets the model that it names"));
    }
    let file = if args.models.config.is_none() {
        ", unless the worker has a file that is not given here"
    } else {
        ""
    };
    Ok(Finding::warning(
        format!(
            "{}; no provider is configured for it, so that the built-in local one serves it, \
             by hashed words and rules{file}",
            some_of(&replaced)
        ),
        "configure a provider in the worker's file (--config), name it in the hook as \"provider\", \
         or leave \"model\" out",
    ))
}
