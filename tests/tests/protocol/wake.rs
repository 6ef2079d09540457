//! Parking and waking. What a step stands for:
//! - `Decide`, `Commit`, `Release`: a writer. `Decide` is `at_transaction_end` in `extension/src/wake.rs`; with
//!   `Commit` the event is visible; with `Release` the shared lock is gone, and the notification sent.
//! - `Step`: the dispatcher's next step in `worker/engine/src/dispatcher.rs`: `turn` with its looks, `park` and
//!   `rest` of `parking.rs`, and `worker/store/src/listen.rs` with `lead.sql`, `park.sql`, `unpark.sql`. A look takes
//!   two: the lock and the snapshot (`zerodb._dispatch`), then the dispatcher's commit.
//! - `Busy`: `park.sql` meets its lock_timeout. `Crash`: a worker's connections end, and with them its locks.
//! - `Floor`: the poll. Here only a follower has it, and only while nobody leads.
//!
//! Left out: a worker without room, due deliveries (`next_due.sql` is asked after the last look), prepared
//! transactions, a full notification queue, `zerodb.notify = off`, a leader that is alive without its listener: these
//! rest on the poll.

mod state;

use stateright::{Model, Property};

use self::state::*;
use crate::{holds, is_caught};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    Sound,
    /// A worker sleeps as soon as it is parked.
    NoLookAfterParking,
    /// A writer asks for the lock in its trigger and gives it back before its commit.
    LockNotHeldUntilCommit,
    /// A worker parks without waiting for those who share the lock.
    ParksPastSharers,
    /// A writer that meets a worker which waits for the lock neither shares it nor notifies.
    WaitingDoesNotCount,
    /// A look that did not get the dispatcher's lock counts as one that found nothing.
    RefusedIsNothing,
    /// A look that found nothing more in an old window counts as one that found nothing.
    EndOfWindowIsNothing,
}
use Variant::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Decide(usize),
    Abort(usize),
    Commit(usize),
    Release(usize),
    Step(usize),
    Busy(usize),
    Crash(usize),
    Floor(usize),
}

#[derive(Debug)]
struct Wake {
    variant: Variant,
    writers: usize,
    workers: usize,
}

impl Wake {
    fn decide(&self, state: &State) -> Decision {
        let parked = state.workers.iter().any(|worker| worker.parked);
        let waiting = state.workers.iter().any(|worker| worker.at == At::WaitForLock);
        match self.variant {
            WaitingDoesNotCount if waiting => Decision::Nothing,
            _ if parked || waiting => Decision::Notifies,
            LockNotHeldUntilCommit => Decision::Nothing,
            _ => Decision::Shares,
        }
    }

    /// The lock and the statement of a look. One event is read at once, so every window is left open once.
    fn read(&self, state: &State, look: Look) -> At {
        let dispatches = |other: &Worker| matches!(other.at, At::Reading { .. });
        if state.workers.iter().any(dispatches) {
            return match self.variant {
                RefusedIsNothing => Self::after(look, Outcome::Nothing),
                _ => Self::after(look, Outcome::Unsure),
            };
        }
        let upto = state.window.unwrap_or(state.committed());
        let left = upto & !state.dispatched;
        let events = left & left.wrapping_neg();
        let outcome = match (events, state.window) {
            (0, None) => Outcome::Nothing,
            (0, Some(_)) if self.variant == EndOfWindowIsNothing => Outcome::Nothing,
            (0, Some(_)) => Outcome::Unsure,
            _ => Outcome::Some,
        };
        At::Reading {
            look,
            events,
            window: (events != 0).then_some(upto),
            outcome,
        }
    }

    /// `turn`.
    fn after(look: Look, outcome: Outcome) -> At {
        match (look, outcome) {
            (Look::First, Outcome::Some) => At::Look(Look::Again),
            (Look::First, Outcome::Nothing) => At::Park,
            (Look::Again, Outcome::Some) => At::Unpark,
            (Look::AfterParking, Outcome::Nothing) => At::Asleep,
            _ => At::Look(Look::First),
        }
    }

    fn step(&self, state: &mut State, number: usize) -> Option<()> {
        let before = state.workers[number];
        let parked = match self.variant {
            NoLookAfterParking => At::Asleep,
            _ => At::Look(Look::AfterParking),
        };
        let at = match before.at {
            At::Look(look) => self.read(state, look),
            At::Reading {
                look,
                events,
                window,
                outcome,
            } => {
                state.dispatched |= events;
                state.window = window;
                Self::after(look, outcome)
            }
            At::Unpark => At::Look(Look::First),
            At::Park if before.parked || !before.leads && state.is_led() => parked,
            At::Park => At::WaitForLock,
            At::WaitForLock => parked,
            At::Asleep | At::Dead => At::Look(Look::First),
        };
        let waits = before.at == At::WaitForLock;
        if waits && self.variant != ParksPastSharers && state.writers.iter().any(|writer| writer.shares()) {
            return None;
        }
        state.workers[number] = Worker {
            at,
            listens: before.listens || before.at == At::Park,
            leads: before.leads || at == At::WaitForLock,
            parked: before.parked && before.at != At::Unpark || waits,
            woken: before.woken && before.at != At::Asleep,
        };
        Some(())
    }
}

impl Model for Wake {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let worker = Worker::new(At::Look(Look::First));
        let (writers, workers) = (vec![Writer::Open; self.writers], vec![worker; self.workers]);
        vec![State {
            writers,
            workers,
            window: None,
            dispatched: 0,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, writer) in state.writers.iter().enumerate() {
            match writer {
                Writer::Open => actions.push(Action::Decide(number)),
                Writer::Decided(_) => actions.extend([Action::Commit(number), Action::Abort(number)]),
                Writer::Committed(_) => actions.push(Action::Release(number)),
                Writer::Ended { .. } => {}
            }
        }
        let is_alive = |worker: &Worker| worker.at != At::Dead;
        let alone = state.workers.iter().filter(|worker| is_alive(worker)).count() == 1;
        for (number, worker) in state.workers.iter().enumerate() {
            match worker.at {
                At::Dead => continue,
                At::Asleep if worker.woken => actions.push(Action::Step(number)),
                At::Asleep if !state.is_led() => actions.push(Action::Floor(number)),
                At::Asleep => {}
                At::WaitForLock => actions.extend([Action::Step(number), Action::Busy(number)]),
                _ => actions.push(Action::Step(number)),
            }
            actions.extend((!alone).then_some(Action::Crash(number)));
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Decide(number) => state.writers[number] = Writer::Decided(self.decide(last)),
            Action::Abort(number) => state.writers[number] = Writer::Ended { committed: false },
            Action::Commit(number) => {
                let Writer::Decided(decision) = last.writers[number] else {
                    return None;
                };
                state.writers[number] = Writer::Committed(decision);
            }
            Action::Release(number) => {
                let notifies = last.writers[number] == Writer::Committed(Decision::Notifies);
                state.writers[number] = Writer::Ended { committed: true };
                for worker in &mut state.workers {
                    worker.woken |= notifies && worker.listens;
                }
            }
            Action::Step(number) => self.step(&mut state, number)?,
            Action::Busy(number) | Action::Floor(number) => state.workers[number].at = At::Look(Look::First),
            Action::Crash(number) => state.workers[number] = Worker::new(At::Dead),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NONE_LOST, |_, state: &State| {
                !state.all_sleep() || state.committed() & !state.dispatched == 0
            }),
            Property::sometimes(
                "all events are dispatched and all workers sleep",
                |model: &Self, state: &State| {
                    let all = (1 << model.writers) - 1;
                    state.dispatched == all
                        && state.all_sleep()
                        && state.workers.iter().all(|worker| worker.at == At::Asleep)
                },
            ),
            Property::sometimes("a writer need not notify", |_, state: &State| {
                state.writers.contains(&Writer::Committed(Decision::Shares))
            }),
            Property::sometimes("a writer wakes a sleeping worker", |_, state: &State| {
                let is_woken = |worker: &Worker| worker.at == At::Asleep && worker.woken;
                state.workers.iter().any(is_woken)
            }),
        ]
    }
}

const NONE_LOST: &str = "no committed event waits while all workers sleep";

fn alone(variant: Variant) -> Wake {
    Wake {
        variant,
        writers: 3,
        workers: 1,
    }
}

fn two(variant: Variant) -> Wake {
    Wake {
        variant,
        writers: 2,
        workers: 2,
    }
}

#[test]
fn no_wake_up_is_lost() {
    holds(alone(Sound), 15_000);
    holds(two(Sound), 50_000);
}

#[test]
fn without_a_look_after_parking_wake_ups_are_lost() {
    is_caught(alone(NoLookAfterParking), NONE_LOST);
}

#[test]
fn a_lock_that_is_not_held_until_the_commit_or_not_waited_for_loses_wake_ups() {
    is_caught(alone(LockNotHeldUntilCommit), NONE_LOST);
    is_caught(alone(ParksPastSharers), NONE_LOST);
    is_caught(alone(WaitingDoesNotCount), NONE_LOST);
}

#[test]
fn a_look_that_another_worker_prevented_is_none() {
    is_caught(two(RefusedIsNothing), NONE_LOST);
    is_caught(two(EndOfWindowIsNothing), NONE_LOST);
}
