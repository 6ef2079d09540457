//! What is fast to write must be fast to read: look-ups, lists and the upkeep of a long history. A history is made by
//! `maker`, and asked about in `look_ups`; `upkeep` empties the oldest partition while others write.

mod look_ups;
mod maker;
mod questions;
mod upkeep;

use super::Case;

pub use look_ups::LOOK_UPS;
pub use questions::{
    ATTEMPTS_P50, ATTEMPTS_P99, AWAIT_P99, DELIVERIES_P50, DELIVERIES_P99, DELIVERY_P50, DELIVERY_P99,
    DISCARD_P99, EVENT_P50, EVENT_P99, EVENTS_BEFORE_P99, EVENTS_OF_TYPE_P99, EVENTS_OF_USER_P99, EVENTS_P99,
    FLOOR_P50, HOOK_STATUS_P99, NEWEST_BEFORE_P99, NEWEST_OF_HOOK_P99, NEWEST_OF_STATE_P99,
    NEWEST_OF_TENANT_P99, NEWEST_OF_USER_P99, NEWEST_P50, NEWEST_P99, REDELIVER_P99, STATUS_P99,
};
pub use upkeep::{ALONE_P99, DURING_P99, UPKEEP};

pub fn all() -> Vec<Box<dyn Case>> {
    vec![Box::new(look_ups::LookUps), Box::new(upkeep::Upkeep)]
}
