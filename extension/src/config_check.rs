//! The check of a hook: its type, its name and its config, by the contract that the worker reads configs by.

use pgrx::prelude::*;
use serde_json::Value;
use zerodb_hooks_contract::{self as contract, HookType};

use crate::error::{Error, raise};
use crate::settings;

/// `zerodb._check_hook`: raises 22023 for the first thing that is wrong with a hook. The config comes as text, because
/// not every jsonb can be read here: one that nests deeper than 127 levels is refused like any other mistake.
#[pg_extern(name = "_check_hook", immutable)]
fn check_hook(hook_type: Option<&str>, hook_name: Option<&str>, hook_config: Option<&str>) {
    let config = match hook_config.map(serde_json::from_str) {
        None => Value::Null,
        Some(Ok(config)) => config,
        Some(Err(unread)) => raise(Error::UnreadableConfig {
            reason: unread.to_string(),
        }),
    };
    let checked = contract::check(
        hook_type.unwrap_or_default(),
        hook_name.unwrap_or_default(),
        &config,
    );
    if let Err(fault) = checked {
        raise(Error::Hook(fault))
    }
}

/// `zerodb._check_receiver`: raises 22023 for a hook that was checked and would send to an address that is written out
/// and not public, unless the database allows it. The worker looks at the address that it dials.
#[pg_extern(name = "_check_receiver", stable, strict)]
fn check_receiver(hook_type: &str, hook_name: &str, hook_config: &str) {
    let read = || {
        let hook_type = HookType::of(hook_type, hook_name).ok()?;
        Some((hook_type, serde_json::from_str::<Value>(hook_config).ok()?))
    };
    if settings::allow_private_addresses() {
        return;
    }
    if let Some((hook_type, config)) = read()
        && let Err(fault) = contract::check_receiver(&hook_type, &config)
    {
        raise(Error::Hook(fault))
    }
}

/// `zerodb._event_template`: the key of a hook's config that is a template over the event's data; null where its type
/// has none.
#[pg_extern(name = "_event_template", immutable, strict)]
fn event_template(hook_type: &str) -> Option<&'static str> {
    contract::hook_type::event_template(hook_type)
}
