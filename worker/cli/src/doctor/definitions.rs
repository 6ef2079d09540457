//! Checks of what users defined: hooks that cannot run, watches that have lost a column or a trigger.

use super::finding::{Checked, Finding, some_of};
use zerodb_hooks_queries::{
    Client, HookFault, foreign_triggers, hook_faults, lost_columns, missed_writes, silent_triggers,
    unworkable_hooks,
};

/// Hooks whose function, owner or predicate is missing, or that a worker has switched off.
pub(super) async fn hooks(client: &Client) -> Checked {
    let faults: Vec<String> = hook_faults(client).await?.iter().map(fault).collect();
    if faults.is_empty() {
        return unworkable(client).await;
    }
    Ok(Finding::failed(
        some_of(&faults),
        "create the function or grant EXECUTE on it; zerodb.update_hook(id, hook_config => …) by a role that exists \
         sets owner and \"when\" anew",
    ))
}

fn fault(hook: &HookFault) -> String {
    let HookFault {
        hook_name: name,
        function,
        owner,
        ..
    } = hook;
    match hook.fault.as_str() {
        "no_function" => format!("{name}: function {function} of jsonb does not exist"),
        "no_owner" => format!("{name}: its owner {owner} does not exist"),
        "no_execute" => format!("{name}: its owner {owner} may not execute {function}"),
        "switched_off" => format!("{name}: switched off, {function}"),
        _ => format!("{name}: its \"when\" was never parsed, so it matches nothing"),
    }
}

/// Hooks that could not be made today: a template that does not parse, a table without the columns that a first-party
/// hook needs.
async fn unworkable(client: &Client) -> Checked {
    let hooks = unworkable_hooks(client).await?;
    let faults: Vec<_> = hooks
        .iter()
        .map(|hook| format!("{}: {}", hook.hook_name, hook.reason))
        .collect();
    if faults.is_empty() {
        return Ok(Finding::ok("every active one can run"));
    }
    Ok(Finding::warning(
        format!("cannot do what they are for: {}", some_of(&faults)),
        "change them with zerodb.update_hook, watch a table that has what they need, or delete them",
    ))
}

/// Watches that name a column which is gone.
pub(super) async fn watches(client: &Client) -> Checked {
    let columns = lost_columns(client).await?;
    let faults: Vec<_> = columns
        .iter()
        .map(|lost| {
            format!(
                "{} for {}: column {}",
                lost.target, lost.event_type, lost.column_name
            )
        })
        .collect();
    if faults.is_empty() {
        return Ok(Finding::ok("every column they name exists"));
    }
    Ok(Finding::failed(
        format!(
            "name columns that are gone, so their fields stay empty: {}",
            some_of(&faults)
        ),
        "call zerodb.watch again with the columns that the table has now, or zerodb.unwatch",
    ))
}

/// Watched tables that are written in ways that leave no event: through a table that they became a part of, or by
/// heirs.
pub(super) async fn missed(client: &Client) -> Checked {
    let watches = missed_writes(client).await?;
    let faults: Vec<_> = watches
        .iter()
        .map(|watch| format!("{} for {}: {}", watch.target, watch.event_type, watch.missed))
        .collect();
    if faults.is_empty() {
        return Ok(Finding::ok("no write to a watched table is missed"));
    }
    Ok(Finding::warning(
        format!("leave no events: {}", some_of(&faults)),
        "call zerodb.watch for the table that the writes go through, or again for the parent of an heir",
    ))
}

/// Triggers that were made by hand with the function of watches.
pub(super) async fn mappings(client: &Client) -> Checked {
    let (mut useless, mut forged) = (Vec::new(), Vec::new());
    for trigger in foreign_triggers(client).await? {
        let list = if trigger.is_useless {
            &mut useless
        } else {
            &mut forged
        };
        list.push(format!("{} on {}", trigger.name, trigger.target));
    }
    let remedy = "DROP TRIGGER each of them, and call zerodb.watch where events are wanted";
    if !useless.is_empty() {
        return Ok(Finding::warning(
            format!(
                "record nothing, for zerodb.watch did not make them: {}",
                some_of(&useless)
            ),
            remedy,
        ));
    }
    if !forged.is_empty() {
        return Ok(Finding::warning(
            format!(
                "name a user whom zerodb.watch did not set, so it does not count: {}",
                some_of(&forged)
            ),
            remedy,
        ));
    }
    Ok(Finding::ok("all that record events were made by zerodb.watch"))
}

/// Triggers that are switched off.
pub(super) async fn triggers(client: &Client) -> Checked {
    let (mut off, mut partial) = (Vec::new(), Vec::new());
    for trigger in silent_triggers(client).await? {
        let list = if trigger.enabled == "O" {
            &mut partial
        } else {
            &mut off
        };
        list.push(format!("{} on {}", trigger.name, trigger.target));
    }
    let remedy = "ALTER TABLE … ENABLE ALWAYS TRIGGER \"…\" for each of them";
    if !off.is_empty() {
        return Ok(Finding::failed(
            format!("are switched off, so writes leave no events: {}", some_of(&off)),
            remedy,
        ));
    }
    if !partial.is_empty() {
        return Ok(Finding::warning(
            format!(
                "do not fire for replicated writes (session_replication_role = replica): {}",
                some_of(&partial)
            ),
            remedy,
        ));
    }
    Ok(Finding::ok("all of them fire"))
}
