//! Leases and epochs, for one delivery: deliveries share nothing but their worker's lease. What a step stands for:
//! - `Send`, `Execute`, `Commit`, `Answer`, `Lose`: a claim (`claim_deliveries.sql`, `claim_suspect.sql`, and the
//!   part of `dispatch_events.sql` that leases), from `dispatcher.rs` through the server and back, if its connection
//!   lasts so long.
//! - `End`, `Finish`, `Told`, `Again`: the handler's end, `finish_deliveries.sql`, and in `settle.rs` of the store
//!   its answer, or the same statement once more because the answer was lost.
//! - `Beat`: `heartbeat.rs` with `renew_lease.sql`, and `take_lease.sql` where the lease is gone.
//! - `Expire`: the server's clock passes `expires_at`. It may at any time: a paused worker is one that takes no step.
//! - `Reap`, `Free`, `Undo`: `reap_leases.sql`: the lock on the lease, then its delivery and itself, or a rollback.
//! - `Crash`: the first worker dies, the second never does. What was sent is executed or rolled back.
//!
//! Left out: a lease given back at the end (the same statement), due times, the number of attempts and losses, hooks
//! that are deleted, `redeliver` (it refuses what is running).

mod state;

use stateright::{Model, Property};

use self::state::*;
use crate::{holds, is_caught};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    Sound,
    NoEpoch,
    NoEpochNoLease,
    /// The reaper does not look at `expires_at`.
    ReapsLiveLeases,
    /// The reaper deletes the lease in one transaction and frees its deliveries in the next.
    DeletesBeforeFreeing,
    /// A claim does not look whether its lease is still there.
    ClaimsUnderAnyLease,
    /// The reaper locks the lease and frees its deliveries in one statement, so with the snapshot from before the lock.
    ReapsInOneStatement,
    /// A worker keeps its lease although the answer to a claim was lost.
    KeepsLeaseOfLostAnswer,
}
use Variant::*;

/// Of a worker, or of a claim by its epoch; the second number is what the step is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Send(usize),
    Execute(usize, usize),
    Commit(usize, usize),
    Rollback(usize),
    Answer(usize, usize),
    Lose(usize, usize),
    End(usize, bool),
    Finish(usize, bool),
    Told(usize),
    Again(usize, bool),
    Beat(usize),
    Expire(usize),
    Reap(usize),
    Free(usize, bool),
    Undo,
    Crash,
}
use Action::*;

#[derive(Debug)]
struct Leases(Variant);

impl Leases {
    /// True when the reaper holds the lock on the lease's row; in one statement it has its snapshot before the lock.
    fn is_locked(&self, state: &State, lease: usize) -> bool {
        let locks = !matches!(self.0, ReapsInOneStatement | DeletesBeforeFreeing);
        locks && state.reaping.is_some_and(|(reaping, _)| reaping == lease)
    }

    /// A claim shares the lock on its lease's row until it commits.
    fn is_claiming(&self, state: &State, lease: usize) -> bool {
        let executes = |worker: &Worker| worker.dispatcher == Dispatcher::Executing(lease);
        self.0 != ClaimsUnderAnyLease && state.workers.iter().any(executes)
    }

    fn execute(&self, last: &State, lease: usize) -> Dispatcher {
        let is_locked = |other: &Worker| matches!(other.dispatcher, Dispatcher::Executing(_));
        let may = last.exists(lease) || self.0 == ClaimsUnderAnyLease;
        match last.delivery {
            Delivery::Due if may && !last.workers.iter().any(is_locked) => Dispatcher::Executing(lease),
            _ => Dispatcher::Idle,
        }
    }

    fn commit(&self, state: &mut State, worker: usize, lease: usize) {
        let alive = state.workers[worker].alive;
        let answered = Dispatcher::Answered(state.claims.len());
        state.delivery = Delivery::Running(lease);
        state.workers[worker].dispatcher = if alive { answered } else { Dispatcher::Idle };
        let at = if alive { At::Claimed } else { At::Over };
        state.claims.push(Claim { worker, lease, at });
    }

    fn finish(&self, state: &mut State, epoch: usize, completed: bool) {
        let Claim { worker, lease, .. } = state.claims[epoch];
        let is_current = epoch + 1 == state.claims.len();
        let by_epoch = is_current || matches!(self.0, NoEpoch | NoEpochNoLease);
        let by_lease = state.delivery == Delivery::Running(lease) || self.0 == NoEpochNoLease;
        if by_epoch && by_lease && matches!(state.delivery, Delivery::Running(_)) {
            state.delivery = if completed { Delivery::Ended } else { Delivery::Due };
            state.completions += u8::from(completed);
            state.stale_accepted |= !is_current;
        } else {
            state.late_refused = true;
        }
        let alive = state.workers[worker].alive;
        state.claims[epoch].at = if alive { At::Finished(completed) } else { At::Over };
    }

    fn free(&self, state: &mut State, lease: usize, seen: bool) {
        state.reaping = None;
        let in_one = self.0 == ReapsInOneStatement;
        // In one statement the lock comes only now: a claim may have it, or the lease be renewed.
        if in_one && (self.is_claiming(state, lease) || state.leases[lease] != Lease::Expired) {
            return;
        }
        if state.delivery == Delivery::Running(lease) && (seen || !in_one) {
            state.delivery = Delivery::Due;
            state.taken_from_live |= state.leases[lease] == Lease::Live;
        }
        state.leases[lease] = Lease::Gone;
    }
}

impl Model for Leases {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let worker = |lease| Worker {
            alive: true,
            lease,
            dispatcher: Dispatcher::Idle,
        };
        vec![State {
            leases: std::array::from_fn(|lease| {
                if lease < WORKERS {
                    Lease::Live
                } else {
                    Lease::NotTaken
                }
            }),
            workers: std::array::from_fn(worker),
            delivery: Delivery::Due,
            claims: Vec::new(),
            reaping: None,
            completions: 0,
            late_refused: false,
            stale_accepted: false,
            taken_from_live: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let room = state.claims.len() < CLAIMS;
        for (number, worker) in state.workers.iter().enumerate() {
            match worker.dispatcher {
                Dispatcher::Idle if worker.alive && room && state.delivery == Delivery::Due => {
                    actions.push(Send(number))
                }
                Dispatcher::Sent(lease) if !self.is_locked(state, lease) => {
                    actions.push(Execute(number, lease))
                }
                Dispatcher::Executing(lease) if room => {
                    actions.extend([Commit(number, lease), Rollback(number)])
                }
                Dispatcher::Answered(epoch) if worker.alive => {
                    actions.extend([Answer(number, epoch), Lose(number, epoch)])
                }
                _ => {}
            }
            if worker.alive && !self.is_locked(state, worker.lease) {
                actions.push(Beat(number));
            }
        }
        for (epoch, claim) in state.claims.iter().enumerate() {
            match claim.at {
                At::Handler => actions.extend([End(epoch, true), End(epoch, false)]),
                At::Finishing(completed) => actions.push(Finish(epoch, completed)),
                At::Finished(completed) => actions.extend([Told(epoch), Again(epoch, completed)]),
                At::Claimed | At::Over => {}
            }
        }
        for (lease, is) in state.leases.iter().enumerate() {
            if *is == Lease::Live && !self.is_locked(state, lease) {
                actions.push(Expire(lease));
            }
            let is_reaped = *is == Lease::Expired || *is == Lease::Live && self.0 == ReapsLiveLeases;
            if is_reaped && state.reaping.is_none() && !self.is_claiming(state, lease) {
                actions.push(Reap(lease));
            }
        }
        actions.extend(state.reaping.map(|(lease, seen)| Free(lease, seen)));
        actions.extend(state.reaping.map(|_| Undo));
        actions.extend(state.workers[0].alive.then_some(Crash));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Send(number) => state.workers[number].dispatcher = Dispatcher::Sent(last.workers[number].lease),
            Execute(number, lease) => state.workers[number].dispatcher = self.execute(last, lease),
            Commit(number, lease) => self.commit(&mut state, number, lease),
            Rollback(number) => state.workers[number].dispatcher = Dispatcher::Idle,
            Answer(number, epoch) => {
                state.workers[number].dispatcher = Dispatcher::Idle;
                state.claims[epoch].at = At::Handler;
            }
            Lose(number, epoch) => {
                state.workers[number].dispatcher = Dispatcher::Idle;
                state.claims[epoch].at = At::Over;
                if self.0 != KeepsLeaseOfLostAnswer {
                    state.take_lease(number)?;
                }
            }
            End(epoch, completed) | Again(epoch, completed) => {
                state.claims[epoch].at = At::Finishing(completed)
            }
            Finish(epoch, completed) => self.finish(&mut state, epoch, completed),
            Told(epoch) => state.claims[epoch].at = At::Over,
            Beat(number) if last.exists(last.workers[number].lease) => {
                state.leases[last.workers[number].lease] = Lease::Live;
            }
            Beat(number) => state.take_lease(number)?,
            Expire(lease) => state.leases[lease] = Lease::Expired,
            Reap(lease) => {
                let seen = self.0 == ReapsInOneStatement && last.delivery == Delivery::Running(lease);
                state.reaping = Some((lease, seen));
                if self.0 == DeletesBeforeFreeing {
                    state.leases[lease] = Lease::Gone;
                }
            }
            Free(lease, seen) => self.free(&mut state, lease, seen),
            Undo => state.reaping = None,
            Crash => state.crash(),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NONE_STALE, |_, state: &State| !state.stale_accepted),
            Property::always(NONE_TWICE, |_, state: &State| state.completions <= 1),
            Property::always(NONE_LOST, |_, state: &State| !state.is_lost()),
            Property::always(NONE_TAKEN, |_, state: &State| !state.taken_from_live),
            Property::sometimes(
                "a dead worker's delivery is completed by another",
                |_, state: &State| {
                    let first_died = state
                        .claims
                        .first()
                        .is_some_and(|claim| claim.worker == 0 && claim.at == At::Over);
                    state.completions == 1 && first_died && !state.workers[0].alive && state.claims.len() > 1
                },
            ),
            Property::sometimes(
                "a late outcome is refused, and the delivery runs on",
                |_, state: &State| state.late_refused && matches!(state.delivery, Delivery::Running(_)),
            ),
        ]
    }
}

const NONE_STALE: &str = "no outcome of an owner that is none any more is accepted";
const NONE_TWICE: &str = "no delivery is completed twice";
const NONE_LOST: &str = "what is running is worked at, or its lease will expire";
const NONE_TAKEN: &str = "nothing is taken away from a lease that has not expired";

#[test]
fn no_delivery_is_lost_or_completed_by_a_stale_owner() {
    holds(Leases(Sound), 100_000);
}

#[test]
fn without_epochs_a_stale_outcome_is_accepted() {
    is_caught(Leases(NoEpoch), NONE_STALE);
    is_caught(Leases(NoEpochNoLease), NONE_STALE);
}

#[test]
fn a_reaper_takes_only_what_has_expired_and_frees_what_it_takes() {
    is_caught(Leases(ReapsLiveLeases), NONE_TAKEN);
    is_caught(Leases(DeletesBeforeFreeing), NONE_LOST);
    is_caught(Leases(ReapsInOneStatement), NONE_LOST);
}

#[test]
fn a_claim_that_does_not_hold_its_lease_is_lost_with_its_worker() {
    is_caught(Leases(ClaimsUnderAnyLease), NONE_LOST);
}

#[test]
fn a_claim_whose_answer_was_lost_must_not_stay_under_a_lease_that_lives_on() {
    is_caught(Leases(KeepsLeaseOfLostAnswer), NONE_LOST);
}
