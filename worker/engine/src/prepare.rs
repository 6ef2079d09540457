//! From a claimed row to a delivery that can run, or to its end when it cannot. No I/O.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::hooks::Known;
use zerodb_hooks_delivery::delivery::{Delivery, MessageId};
use zerodb_hooks_delivery::event::{Event, EventId};
use zerodb_hooks_delivery::outcome::Outcome;
use zerodb_hooks_store::{Attempt, Claimed, EventRow, Installation, Place, StoreError};

/// Losses after which a delivery is given up: it ran alone in the last ones, so it is what killed the worker.
const MOST_LOSSES: i16 = 4;

/// The delivery to run, or how it ends without being run.
pub fn prepare(
    installation: &Installation,
    claimed: Claimed,
    known: Result<Option<Known>, StoreError>,
) -> Result<(Delivery, Place, Known), Box<(Uuid, Attempt)>> {
    let (hook_id, delivery_id, epoch, attempt) =
        (claimed.hook_id, claimed.id, claimed.epoch, claimed.attempt);
    let place = claimed.place.clone();
    let without_run = |outcome| {
        let attempt = Attempt {
            delivery_id,
            place: place.clone(),
            epoch,
            started_at: Timestamp::now(),
            duration: Duration::ZERO,
            outcome,
        };
        Box::new((hook_id, attempt))
    };
    let discarded = |error: &str| {
        without_run(Outcome::Discarded {
            error: error.into(),
            status: None,
        })
    };
    let known = match known {
        Ok(Some(known)) => known,
        // The store sees that the hook is gone and cancels the delivery.
        Ok(None) => {
            return Err(without_run(Outcome::retry_in(
                Duration::ZERO,
                "the hook was deleted",
            )));
        }
        Err(_) => return Err(without_run(Outcome::Released)),
    };
    if claimed.losses >= MOST_LOSSES {
        return Err(discarded(
            "given up: each attempt ended with the worker, also alone",
        ));
    }
    let Some(row) = claimed.event else {
        return Err(discarded("the event has left the log"));
    };
    let delivery = Delivery {
        id: delivery_id,
        attempt,
        epoch,
        hook: Arc::clone(&known.hook),
        event: Arc::new(event(installation, row)),
        message_id: MessageId {
            salt: installation.salt,
            delivery: delivery_id,
        },
    };
    Ok((delivery, claimed.place, known))
}

fn event(installation: &Installation, row: EventRow) -> Event {
    let channel = match installation.channels.get(&row.event_type) {
        Some(channel) => Arc::clone(channel),
        None => row.event_type.split('.').next().unwrap_or_default().into(),
    };
    Event {
        id: EventId {
            salt: installation.salt,
            xid: row.key.xid.0,
            ord: row.key.ord,
        },
        channel,
        data: row.data,
        event_type: row.event_type,
        user_id: row.user_id,
        project_id: row.project_id,
        bank_id: row.bank_id,
        traceparent: row.traceparent,
        created_at: row.created_at,
        relid: row.relid,
    }
}
