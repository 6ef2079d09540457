//! The steps, when each can be taken, and what must hold after every one.

use stateright::{Model, Property};

use super::state::*;
use super::statement::{At, Kind};
use super::{NONE_LATE, NONE_LOST, NONE_TWICE, REMOVED_AT_ITS_END, Variant, Variant::*};

/// Of a statement by its place, or of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Dispatch,
    Write,
    Begin(usize),
    Lock(usize),
    Commit(usize),
    Rollback(usize),
    Told(usize),
    Lose(usize),
    Fail(usize),
    End(usize, bool),
    Beat,
    Expire,
    LockLease,
    Reap,
    Free,
    Undo,
    Claim(usize, Under),
    EndRow(usize, bool),
    Prune(usize),
    Crash,
}
use Action::*;

/// Statements at the server at once: one that is awaited, and one that nobody hears any more.
const STATEMENTS: usize = 2;

#[derive(Debug)]
pub struct Batches(pub Variant);

impl Batches {
    fn of_statements(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, sent) in state.statements.iter().enumerate() {
            match sent.at {
                At::Sent => actions.push(Begin(number)),
                At::Begun { .. } if !state.waits_for_reaper(self.0, sent) => actions.push(Lock(number)),
                At::Locked { .. } => actions.push(Commit(number)),
                At::Answered { .. } => actions.push(Told(number)),
                At::Begun { .. } => {}
            }
            match (sent.awaited, sent.at) {
                (true, At::Begun { .. } | At::Locked { .. }) => actions.extend([Lose(number), Fail(number)]),
                (true, _) => actions.push(Lose(number)),
                (false, _) => actions.push(Rollback(number)),
            }
        }
    }

    fn of_worker(&self, state: &State, actions: &mut Vec<Action>) {
        let worker = &state.worker;
        if !worker.alive {
            return;
        }
        let waits = state.statements.iter().any(|sent| sent.awaited);
        if !waits && state.statements.len() < STATEMENTS {
            let dispatches = state.batch == Batch::NotDispatched && !worker.moved_on;
            actions.extend(dispatches.then_some(Dispatch));
            let writes = worker.write.is_some() || worker.completed | worker.failed != 0;
            actions.extend(writes.then_some(Write));
        }
        for delivery in members(worker.handling) {
            actions.extend([End(delivery, true), End(delivery, false)]);
        }
        if !state.is_lease_locked(self.0) && !worker.moved_on && state.lease != Lease::Live {
            actions.push(Beat);
        }
        actions.push(Crash);
    }

    fn of_rows(&self, state: &State, actions: &mut Vec<Action>) {
        let worker = &state.worker;
        let leased = worker.alive && !worker.moved_on && state.lease != Lease::Gone;
        let executing = state.statements.iter().any(|sent| sent.is_executing());
        let can_prune = state.batch == Batch::Gone && !executing;
        for (delivery, row) in state.rows.iter().enumerate() {
            match row {
                Row::Due => {
                    actions.push(Claim(delivery, Under::OtherLease));
                    let claims = leased && !state.is_lease_locked(self.0);
                    actions.extend(claims.then_some(Claim(delivery, Under::BatchLease)));
                }
                Row::Claimed(under) if *under == Under::OtherLease || worker.alive => {
                    actions.extend([EndRow(delivery, true), EndRow(delivery, false)]);
                }
                Row::Completed if can_prune => actions.push(Prune(delivery)),
                _ => {}
            }
        }
    }

    fn of_reaper(&self, state: &State, actions: &mut Vec<Action>) {
        match state.reaper {
            Reaper::Idle if self.0 == ReapsInOneStatement && state.lease == Lease::Expired => {
                actions.push(Reap)
            }
            Reaper::Idle if state.can_lock_lease(self.0) => actions.push(LockLease),
            Reaper::Idle => {}
            Reaper::Locked => actions.extend([Reap, Undo]),
            Reaper::Reaping(_) => actions.extend([Free, Undo]),
        }
        actions.extend((state.lease == Lease::Live).then_some(Expire));
    }
}

impl Model for Batches {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            lease: Lease::Live,
            batch: Batch::NotDispatched,
            rows: [Row::None; DELIVERIES],
            in_completions: 0,
            first_ids: 0,
            worker: Worker {
                alive: true,
                moved_on: false,
                ..Worker::DEAD
            },
            statements: Vec::new(),
            reaper: Reaper::Idle,
            completions: [0; DELIVERIES],
            late_accepted: false,
            late_refused: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.of_statements(state, actions);
        self.of_worker(state, actions);
        self.of_rows(state, actions);
        self.of_reaper(state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Dispatch => state.send(Kind::Dispatch),
            Write => {
                let kind = state.worker.next_write()?;
                state.send(kind);
            }
            Begin(number) => state.begin(self.0, number),
            Lock(number) => state.lock(self.0, number),
            Commit(number) => state.commit(self.0, number),
            Rollback(number) => {
                state.statements.remove(number);
            }
            Told(number) => state.told(self.0, number),
            Lose(number) => state.lose(number),
            Fail(number) => state.fail(self.0, number),
            End(delivery, completed) => state.worker.end(delivery, completed),
            Beat if last.lease == Lease::Gone => state.worker.moved_on = true,
            Beat => state.lease = Lease::Live,
            Expire => state.lease = Lease::Expired,
            LockLease => state.reaper = Reaper::Locked,
            Reap => state.reap(),
            Free => state.free(self.0),
            Undo => state.reaper = Reaper::Idle,
            Claim(delivery, under) => state.rows[delivery] = Row::Claimed(under),
            EndRow(delivery, true) => {
                state.rows[delivery] = Row::Completed;
                state.note_completed(bit(delivery));
            }
            EndRow(delivery, false) => state.rows[delivery] = Row::Due,
            Prune(delivery) => state.rows[delivery] = Row::Pruned,
            Crash => state.crash(),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NONE_LOST, |_, state: &State| !state.has_lost_one()),
            Property::always(NONE_TWICE, |_, state: &State| !state.has_completed_twice()),
            Property::always(NONE_LATE, |_, state: &State| !state.late_accepted),
            Property::always(REMOVED_AT_ITS_END, |_, state: &State| !state.has_wrong_batch()),
            Property::sometimes(
                "a dead worker's deliveries have ended, in a completion and as rows",
                |_, state: &State| {
                    !state.worker.alive && state.in_completions != 0 && state.completions == [1; DELIVERIES]
                },
            ),
            Property::sometimes(
                "a late write is refused, and its delivery is completed by another",
                |_, state: &State| {
                    state.late_refused && state.worker.alive && state.completions == [1; DELIVERIES]
                },
            ),
            Property::sometimes(
                "completions are written a second time while their batch is there",
                |_, state: &State| state.statements.iter().any(|sent| sent.repeats(state.first_ids)),
            ),
            Property::sometimes(
                "a batch ends with its worker, after a completion and a spill",
                |_, state: &State| {
                    let ended = state.batch == Batch::Gone && state.lease == Lease::Live;
                    ended && state.in_completions != 0 && state.with_row() != 0
                },
            ),
        ]
    }
}
