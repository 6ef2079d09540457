//! From a claimed row to a delivery that can be run, or to the outcome of one that cannot. No I/O.

use std::sync::Arc;

use zerodb_hooks_delivery::delivery::{Delivery, MessageId};
use zerodb_hooks_delivery::event::{Event, EventId};
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::Outcome;
use zerodb_hooks_store::{Claimed, EventRow, Installation};

/// Losses after which a delivery is given up: it ran alone in the last ones, so it is what killed the worker.
const MOST_LOSSES: i16 = 4;

/// The delivery to run. Takes the event out of what was claimed.
///
/// # Errors
/// The outcome with which it ends without being run.
pub fn prepare(
    installation: &Installation,
    hook: &Arc<Hook>,
    claimed: &mut Claimed,
) -> Result<Delivery, Outcome> {
    if claimed.losses >= MOST_LOSSES {
        return Err(discarded(
            "given up: each attempt ended with the worker, also alone",
        ));
    }
    let Some(row) = claimed.event.take() else {
        return Err(discarded("the event has left the log"));
    };
    Ok(Delivery {
        id: claimed.id,
        attempt: claimed.attempt,
        epoch: claimed.epoch,
        hook: Arc::clone(hook),
        event: Arc::new(event(installation, row)),
        message_id: MessageId {
            salt: installation.salt,
            delivery: claimed.id,
        },
    })
}

fn discarded(error: &str) -> Outcome {
    Outcome::Discarded {
        error: error.into(),
        status: None,
        exhausted: false,
    }
}

/// The event of a row of the log, with what the register says of its type.
pub fn event(installation: &Installation, row: EventRow) -> Event {
    let (channel, fields) = match installation.event_types.get(&row.event_type) {
        Some(known) => (Arc::clone(&known.channel), Some(Arc::clone(&known.fields))),
        None => (row.event_type.split('.').next().unwrap_or_default().into(), None),
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
        fields,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{claimed, hook, installation};

    fn outcome(change: impl FnOnce(&mut Claimed)) -> Result<Delivery, Outcome> {
        let mut claimed = claimed(7);
        change(&mut claimed);
        prepare(&installation(), &Arc::new(hook("count")), &mut claimed)
    }

    #[test]
    fn a_delivery_has_the_ids_of_the_installation_and_the_channel_of_its_type() {
        let delivery = outcome(|_| ()).unwrap();
        assert_eq!(delivery.message_id.to_string(), "msg_000000010000000000000007");
        assert_eq!(&*delivery.event.channel, "order");
    }

    #[test]
    fn what_killed_its_worker_alone_and_what_has_no_event_is_discarded() {
        for change in [
            (|claimed| claimed.losses = MOST_LOSSES) as fn(&mut Claimed),
            |claimed| claimed.event = None,
        ] {
            assert!(matches!(outcome(change), Err(Outcome::Discarded { .. })));
        }
    }
}
