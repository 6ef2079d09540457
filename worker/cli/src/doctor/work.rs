//! Checks of the work itself: is there a worker, and does it keep up?

use super::finding::{Checked, Finding, some_of};
use crate::render;
use zerodb_hooks_queries::{Client, overdue_hooks, workload};

/// Live workers, expired leases, and what waits for them.
pub(super) async fn workers(client: &Client) -> Checked {
    let found = workload(client).await?;
    let (alive, expired, orphaned) = (found.alive, found.expired, found.orphaned);
    let waiting = found.undispatched + found.due;
    let alive_text = render::count(alive, "worker is alive", "workers are alive");
    let start = "start one: zerodb-hooks worker; its log says why it ended";
    Ok(match (alive, waiting, orphaned, expired) {
        (0, 0, 0, _) => Finding::warning("none is alive; nothing waits at the moment", start),
        (0, ..) => Finding::failed(
            format!(
                "none is alive, and {}",
                render::count(
                    waiting + orphaned,
                    "event or delivery waits",
                    "events or deliveries wait"
                ),
            ),
            start,
        ),
        (_, _, 1.., _) => Finding::warning(
            format!(
                "{alive_text}, but {} with a lease that expired over a minute ago",
                render::count(
                    orphaned,
                    "delivery is still held by one",
                    "deliveries are still held by ones"
                ),
            ),
            "a live worker takes them over within seconds: look into its log",
        ),
        (_, _, 0, 1..) => Finding::warning(
            format!(
                "{alive_text}, and {} expired over a minute ago",
                render::count(expired, "lease has", "leases have")
            ),
            "a worker was killed or lost its connection; a live one clears this up: look into its log if it stays",
        ),
        _ => Finding::ok(alive_text),
    })
}

/// Hooks whose deliveries pile up.
pub(super) async fn overdue(client: &Client) -> Checked {
    let (mut behind, mut parked) = (Vec::new(), Vec::new());
    for hook in overdue_hooks(client).await? {
        let list = if hook.is_active { &mut behind } else { &mut parked };
        let age = render::age(hook.oldest_seconds);
        list.push(format!("{} ({}, oldest {age})", hook.hook_name, hook.deliveries));
    }
    if !behind.is_empty() {
        return Ok(Finding::warning(
            format!("wait longer than a minute for: {}", some_of(&behind)),
            "see `zerodb-hooks tail --hook …` for slow or failing attempts; raise \"concurrency\" of the hook or \
             --concurrency of the worker, or start another worker",
        ));
    }
    if !parked.is_empty() {
        return Ok(Finding::warning(
            format!("are kept for hooks that are inactive: {}", some_of(&parked)),
            "activate the hook (zerodb.update_hook(id, is_active => true)) or delete it; \
             the event log is kept until then",
        ));
    }
    Ok(Finding::ok("none waits longer than a minute"))
}
