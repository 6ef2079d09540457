//! Checks of the server's condition: what keeps vacuum from working, connections, the queue of notifications.

use super::finding::{Checked, Finding, some_of};
use crate::render;
use zerodb_hooks_queries::{Client, server_limits, vacuum_holders};

/// Connections that should be left: a worker takes a handful, and somebody has to be able to look.
const FEWEST_FREE: i64 = 10;

/// Writers do not notify above half (see extension/src/wake.rs).
const QUEUE_SILENT: f64 = 0.5;

/// Old transactions, prepared transactions and replication slots.
pub(super) async fn horizon(client: &Client) -> Checked {
    let found = vacuum_holders(client, "5 minutes").await?;
    if found.is_empty() {
        return Ok(if server_limits(client).await?.sees_others {
            Finding::ok("none over 5 minutes, nor prepared ones or slots that hold back vacuum")
        } else {
            let remedy = "GRANT pg_read_all_stats TO the role, or run doctor as a superuser, to see them all";
            Finding {
                remedy: remedy.into(),
                ..Finding::ok("none of this role's own; sessions of others are not seen")
            }
        });
    }
    let mut holders = Vec::new();
    let mut remedies = Vec::new();
    for holder in &found {
        let age = holder.age_seconds.map(|age| format!(" for {}", render::age(age)));
        let age = age.unwrap_or_default();
        holders.push(format!("{} {}{age}", holder.kind, holder.name));
        let remedy = match holder.kind.as_str() {
            "session" => {
                "end a session with pg_terminate_backend(pid) or set idle_in_transaction_session_timeout"
            }
            "prepared" => "COMMIT PREPARED or ROLLBACK PREPARED a prepared transaction",
            _ => "drop an unused slot with pg_drop_replication_slot",
        };
        if !remedies.contains(&remedy) {
            remedies.push(remedy);
        }
    }
    let message = format!(
        "dead rows cannot be vacuumed, so claiming gets slower: held back by {}",
        some_of(&holders)
    );
    Ok(Finding::warning(message, remedies.join("; ")))
}

/// Room for the worker's connections.
pub(super) async fn connections(client: &Client) -> Checked {
    let limits = server_limits(client).await?;
    let (used, usable) = (limits.used, limits.usable);
    let message = format!("{used} of {usable} in use");
    if usable - used < FEWEST_FREE {
        let remedy =
            "raise max_connections, or put the application behind a pooler; a worker needs a handful";
        return Ok(Finding::warning(
            message + ": there may be none left for a worker",
            remedy,
        ));
    }
    Ok(Finding::ok(message))
}

/// Room in the queue that every LISTEN of the cluster shares.
pub(super) async fn notification_queue(client: &Client) -> Checked {
    let usage = server_limits(client).await?.queue_usage;
    let message = format!("{:.0} % full", usage * 100.0);
    if usage < QUEUE_SILENT / 2.0 {
        return Ok(Finding::ok(message));
    }
    Ok(Finding::warning(
        message
            + ": a session listens and stays in one transaction; above 50 % writers no longer wake the worker",
        "find the session in the server's log (it is named when the queue is half full), or among the old transactions",
    ))
}
