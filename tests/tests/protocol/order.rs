//! One key of a hook with "order_by". What a step stands for:
//! - `Insert`, `Commit`: the dispatcher's turns (`dispatch_events.sql` with `_queue_ordered`), the second of which
//!   ends the window, and a user's `replay`, whose transaction may be open for long.
//! - `Begin`, `Release`, `Undo`: a worker's `release_ordered.sql`: its snapshot, under the lock of `lock_release.sql`,
//!   then what it does and its commit, or its rollback.
//! - `End`: the released delivery is completed, discarded or cancelled, with the signal of `_leave_order`.
//! - `Lock`, `Unlock`: a user's transaction that has discarded a blocked delivery, and its commit or rollback.
//!
//! Left out: attempts and leases (see `lease`), a released delivery that is discarded (an end like any other).

mod state;

use stateright::{Model, Property};

use self::state::*;
use crate::{holds, is_caught};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    Sound,
    /// Two workers release at the same time.
    NoLock,
    /// What is dispatched of a window that is half read may be released.
    ReleasesHalfWindows,
    /// An insertion signals only where it sees none of its key released.
    SignalsWhenIdle,
    /// A release removes the signal of a delivery that somebody has locked.
    ForgetsLocked,
    /// The end of a delivery signals in a transaction of its own, before which the worker may die.
    SignalsAfterTheEnd,
}
use Variant::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Insert(usize),
    Commit(usize),
    Begin(usize),
    Release(usize),
    Undo(usize),
    End(usize),
    Signal(usize),
    Lock(usize),
    Unlock(usize, bool),
}
use Action::*;

#[derive(Debug)]
struct Order(Variant);

impl Order {
    fn counts(&self, seen: &Database, delivery: usize) -> bool {
        self.0 == ReleasesHalfWindows || seen.counts(delivery)
    }

    fn insert(&self, state: &mut State, delivery: usize) {
        let signals = self.0 != SignalsWhenIdle || state.now.released() == 0;
        state.now.deliveries[delivery] = Delivery::Inserted(signals);
        if delivery == REPLAYED {
            state.now.replay_waits = state.now.is_half_read();
        }
    }

    fn commit(state: &mut State, delivery: usize) {
        state.now.inserted[delivery] = state.now.deliveries[delivery] == Delivery::Inserted(true);
        state.now.deliveries[delivery] = Delivery::Blocked;
    }

    /// By what the snapshot shows, but rows are locked and changed as they are now.
    fn release(&self, state: &mut State, seen: &Database) {
        let waits = |delivery: &usize| {
            matches!(seen.deliveries[*delivery], Delivery::Blocked | Delivery::Locked)
                && self.counts(seen, *delivery)
        };
        let signals =
            |delivery: usize| seen.inserted[delivery] && self.counts(seen, delivery) || seen.ended[delivery];
        if !(0..DELIVERIES).any(signals) {
            return;
        }
        let first = (0..DELIVERIES).find(waits).filter(|_| seen.released() == 0);
        if let Some(first) = first {
            if state.now.deliveries[first] == Delivery::Blocked {
                state.now.deliveries[first] = Delivery::Released;
                state.inverted |=
                    first == 1 && !matches!(state.now.deliveries[0], Delivery::Ended | Delivery::Silent);
            } else if self.0 != ForgetsLocked {
                return;
            }
        }
        for delivery in 0..DELIVERIES {
            state.now.inserted[delivery] &= !(seen.inserted[delivery] && self.counts(seen, delivery));
            state.now.ended[delivery] &= !seen.ended[delivery];
        }
    }

    fn end(&self, state: &mut State, delivery: usize) {
        let silent = self.0 == SignalsAfterTheEnd;
        state.now.deliveries[delivery] = if silent { Delivery::Silent } else { Delivery::Ended };
        state.now.ended[delivery] = !silent;
    }
}

impl Model for Order {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            now: Database {
                deliveries: [Delivery::Absent; DELIVERIES],
                inserted: [false; DELIVERIES],
                ended: [false; DELIVERIES],
                replay_waits: false,
            },
            releasing: [None; 2],
            inverted: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, delivery) in state.now.deliveries.iter().enumerate() {
            match delivery {
                Delivery::Absent if number != 0 || state.now.is_committed(1) => actions.push(Insert(number)),
                Delivery::Inserted(_) => actions.push(Commit(number)),
                Delivery::Blocked => actions.push(Lock(number)),
                Delivery::Locked => actions.extend([Unlock(number, true), Unlock(number, false)]),
                Delivery::Released => actions.push(End(number)),
                Delivery::Silent => actions.push(Signal(number)),
                Delivery::Absent | Delivery::Ended => {}
            }
        }
        let free = self.0 == NoLock || state.releasing.iter().all(Option::is_none);
        for (number, releasing) in state.releasing.iter().enumerate() {
            match releasing {
                None if free => actions.push(Begin(number)),
                Some(_) => actions.extend([Release(number), Undo(number)]),
                None => {}
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = *last;
        match action {
            Insert(delivery) => self.insert(&mut state, delivery),
            Commit(delivery) => Self::commit(&mut state, delivery),
            Begin(worker) => state.releasing[worker] = Some(last.now),
            Release(worker) => {
                state.releasing[worker] = None;
                self.release(&mut state, &last.releasing[worker]?);
            }
            Undo(worker) => state.releasing[worker] = None,
            End(delivery) => self.end(&mut state, delivery),
            Signal(delivery) => {
                state.now.deliveries[delivery] = Delivery::Ended;
                state.now.ended[delivery] = true;
            }
            Lock(delivery) => state.now.deliveries[delivery] = Delivery::Locked,
            Unlock(delivery, discarded) => {
                state.now.deliveries[delivery] = if discarded {
                    Delivery::Ended
                } else {
                    Delivery::Blocked
                };
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONE, |_, state: &State| state.now.released() <= 1),
            Property::always(IN_ORDER, |_, state: &State| !state.inverted),
            Property::always(NONE_STUCK, |_, state: &State| !state.now.is_stuck()),
            Property::sometimes("all have ended", |_, state: &State| {
                state
                    .now
                    .deliveries
                    .iter()
                    .all(|delivery| *delivery == Delivery::Ended)
            }),
            Property::sometimes(
                "the replay runs before the window is complete",
                |_, state: &State| {
                    state.now.deliveries[REPLAYED] == Delivery::Released && state.now.is_half_read()
                },
            ),
        ]
    }
}

const ONE: &str = "at most one of a key is released";
const IN_ORDER: &str = "what was written first is released first";
const NONE_STUCK: &str = "where something waits and nothing runs, there is a signal";

#[test]
fn a_key_runs_one_by_one_in_order_and_never_stops() {
    holds(Order(Sound), 1_000);
}

#[test]
fn two_releases_at_a_time_release_two_of_a_key() {
    is_caught(Order(NoLock), ONE);
}

#[test]
fn a_window_that_is_half_read_may_lack_what_was_written_first() {
    is_caught(Order(ReleasesHalfWindows), IN_ORDER);
}

#[test]
fn a_key_stops_where_a_signal_is_not_written_with_its_cause_or_is_removed_too_soon() {
    is_caught(Order(SignalsWhenIdle), NONE_STUCK);
    is_caught(Order(ForgetsLocked), NONE_STUCK);
    is_caught(Order(SignalsAfterTheEnd), NONE_STUCK);
}
