//! Dispatching by the difference of two snapshots. What a step stands for:
//! - `Start`, `Commit`, `Abort`: writers. Transactions get their numbers in order and end in any; one that is never
//!   ended is open for ever. `Snapshot` is `pg_current_snapshot()`.
//! - `Read`, `Write`: `zerodb._dispatch` (`extension/src/dispatch.rs`), its reading (`Place::read`, `Reader`) and its
//!   commit (`Place::move_to`); between them, anything may happen. The lock is `dispatch`, the key that of
//!   `zerodb.cursor`.
//! - `Fail`: the dispatcher's transaction is rolled back.
//!
//! A step that takes fewer events than it reads, because these are for many hooks, is one with a smaller `CHUNK`.
//!
//! Left out: subtransactions (events carry the number of the outermost), the row that moves an idle cursor every ten
//! seconds, the matching with hooks, restores, and the log's rotation.

use stateright::{Model, Property};

use crate::{holds, is_caught};

/// Events of each transaction; its number is its place here. A chunk can end within the second one.
const EVENTS: [u8; 4] = [1, 2, 1, 1];
/// Events read at once (`$1`).
const CHUNK: usize = 2;
const DISPATCHERS: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    AsItIs,
    /// The lock fails to be one: the key alone keeps dispatchers apart.
    KeyAlone,
    LockAlone,
    NeitherLockNorKey,
    /// `WHERE (xid, ord) > last`.
    CursorById,
    /// The same, and only what is older than every open transaction.
    XminGuard,
    /// A new snapshot for each chunk, whether or not the last one's events are all read.
    SnapshotForEachChunk,
}
use Variant::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Tx {
    New,
    Open,
    Committed,
    Aborted,
}

/// `pg_snapshot`: what is below `xmax` and not in `open` has ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Snapshot {
    xmax: usize,
    open: Vec<usize>,
}

impl Snapshot {
    /// As `GetSnapshotData`: `xmax` follows the last number that has ended, not the last that was given.
    fn now(txs: &[Tx]) -> Self {
        let ended = |tx: &Tx| matches!(tx, Tx::Committed | Tx::Aborted);
        let xmax = txs.iter().rposition(ended).map_or(0, |last| last + 1);
        let open = (0..xmax).filter(|xid| txs[*xid] == Tx::Open).collect();
        Self { xmax, open }
    }

    /// `pg_visible_in_snapshot`.
    fn shows(&self, xid: usize) -> bool {
        xid < self.xmax && !self.open.contains(&xid)
    }
}

/// `xid` and `ord`; the numbers start with 0 here, so a place before all events is `None`.
type Key = (usize, u8);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Cursor {
    done: Snapshot,
    upto: Snapshot,
    last: Option<Key>,
}

/// A dispatcher between its snapshot and its commit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Reading {
    events: Vec<Key>,
    moved: Cursor,
    /// A read without news appends no row.
    appends: bool,
    /// Another has appended a cursor row meanwhile: `seq + 1` is taken.
    overtaken: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    txs: [Tx; EVENTS.len()],
    cursor: Cursor,
    dispatchers: [Option<Reading>; DISPATCHERS],
    /// How often each event was dispatched.
    dispatched: [[u8; 2]; EVENTS.len()],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Start,
    Commit(usize),
    Abort(usize),
    Read(usize),
    Write(usize),
    Fail(usize),
}

#[derive(Debug)]
struct Dispatch(Variant);

impl Dispatch {
    fn reads(&self, state: &State) -> Reading {
        let (place, now) = (&state.cursor, Snapshot::now(&state.txs));
        let by_id = matches!(self.0, CursorById | XminGuard);
        let fresh = place.done == place.upto || self.0 == SnapshotForEachChunk;
        let upto = if fresh { now.clone() } else { place.upto.clone() };
        let xmin = now.open.first().copied().unwrap_or(now.xmax);
        let in_window = |xid: usize| match self.0 {
            CursorById => true,
            XminGuard => xid < xmin,
            _ => (place.done.open.contains(&xid) || xid >= place.done.xmax) && upto.shows(xid),
        };
        let committed = (0..EVENTS.len()).filter(|xid| state.txs[*xid] == Tx::Committed);
        let events: Vec<Key> = committed
            .filter(|xid| in_window(*xid))
            .flat_map(|xid| (0..EVENTS[xid]).map(move |ord| (xid, ord)))
            .filter(|key| Some(*key) > place.last)
            .take(CHUNK)
            .collect();
        let moved = if by_id {
            let last = events.last().copied().or(place.last);
            Cursor {
                last,
                ..place.clone()
            }
        } else if events.len() < CHUNK {
            Cursor {
                done: upto.clone(),
                upto,
                last: None,
            }
        } else {
            Cursor {
                done: place.done.clone(),
                upto,
                last: events.last().copied(),
            }
        };
        let appends = !events.is_empty() || place.done != place.upto;
        Reading {
            events,
            moved,
            appends,
            overtaken: false,
        }
    }

    fn write(&self, state: &mut State, reading: Reading) {
        let refused = reading.overtaken && !matches!(self.0, LockAlone | NeitherLockNorKey);
        if refused || !reading.appends {
            return;
        }
        for (xid, ord) in reading.events {
            state.dispatched[xid][usize::from(ord)] += 1;
        }
        state.cursor = reading.moved;
        let others = state.dispatchers.iter_mut().flatten();
        others.for_each(|other| other.overtaken = true);
    }

    /// True when nothing is under way and another look would find nothing.
    fn is_quiet(&self, state: &State) -> bool {
        let fresh = state.cursor.done == state.cursor.upto;
        fresh && state.dispatchers.iter().all(Option::is_none) && self.reads(state).events.is_empty()
    }
}

fn all_dispatched(state: &State) -> bool {
    let once = |xid: usize| state.dispatched[xid].iter().sum::<u8>() == EVENTS[xid];
    (0..EVENTS.len()).all(|xid| state.txs[xid] != Tx::Committed || once(xid))
}

fn some_open(state: &State) -> bool {
    state.txs.contains(&Tx::Open)
}

impl Model for Dispatch {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let txs = [Tx::New; EVENTS.len()];
        let start = Snapshot::now(&txs);
        let cursor = Cursor {
            done: start.clone(),
            upto: start,
            last: None,
        };
        let dispatched = [[0; 2]; EVENTS.len()];
        vec![State {
            txs,
            cursor,
            dispatchers: [const { None }; DISPATCHERS],
            dispatched,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.txs.contains(&Tx::New) {
            actions.push(Action::Start);
        }
        for xid in (0..EVENTS.len()).filter(|xid| state.txs[*xid] == Tx::Open) {
            actions.extend([Action::Commit(xid), Action::Abort(xid)]);
        }
        let locks = !matches!(self.0, KeyAlone | NeitherLockNorKey);
        let locked = locks && state.dispatchers.iter().any(Option::is_some);
        for (number, dispatcher) in state.dispatchers.iter().enumerate() {
            match dispatcher {
                Some(_) => actions.extend([Action::Write(number), Action::Fail(number)]),
                None if !locked => actions.push(Action::Read(number)),
                None => {}
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Start => {
                let next = state.txs.iter().position(|tx| *tx == Tx::New)?;
                state.txs[next] = Tx::Open;
            }
            Action::Commit(xid) => state.txs[xid] = Tx::Committed,
            Action::Abort(xid) => state.txs[xid] = Tx::Aborted,
            Action::Read(number) => state.dispatchers[number] = Some(self.reads(last)),
            Action::Write(number) => {
                let reading = state.dispatchers[number].take()?;
                self.write(&mut state, reading);
            }
            Action::Fail(number) => state.dispatchers[number] = None,
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NONE_TWICE, |_, state: &State| {
                state.dispatched.as_flattened().iter().all(|times| *times <= 1)
            }),
            Property::always(NONE_LOST, |model: &Self, state: &State| {
                some_open(state) || !model.is_quiet(state) || all_dispatched(state)
            }),
            Property::always(NONE_WAITS, |model: &Self, state: &State| {
                !some_open(state) || !model.is_quiet(state) || all_dispatched(state)
            }),
            Property::sometimes("all is dispatched", |model: &Self, state: &State| {
                state.txs == [Tx::Committed; EVENTS.len()] && model.is_quiet(state)
            }),
            Property::sometimes("a straggler commits in an open window", |_, state: &State| {
                let (done, upto) = (&state.cursor.done, &state.cursor.upto);
                done != upto && upto.open.iter().any(|xid| state.txs[*xid] == Tx::Committed)
            }),
        ]
    }
}

const NONE_TWICE: &str = "no event is dispatched twice";
const NONE_LOST: &str = "when all is quiet and ended, every committed event is dispatched";
const NONE_WAITS: &str = "when all is quiet but an open transaction, every committed event is dispatched";

#[test]
fn every_committed_event_is_dispatched_once_and_waits_for_no_other_transaction() {
    holds(Dispatch(AsItIs), 5000);
}

#[test]
fn the_lock_and_the_key_are_each_enough() {
    holds(Dispatch(KeyAlone), 50_000);
    holds(Dispatch(LockAlone), 5000);
    is_caught(Dispatch(NeitherLockNorKey), NONE_TWICE);
}

#[test]
fn a_cursor_by_id_loses_what_commits_late() {
    is_caught(Dispatch(CursorById), NONE_LOST);
}

#[test]
fn a_guard_by_xmin_waits_for_open_transactions() {
    is_caught(Dispatch(XminGuard), NONE_WAITS);
}

#[test]
fn a_window_that_is_not_read_to_its_end_loses_stragglers() {
    is_caught(Dispatch(SnapshotForEachChunk), NONE_LOST);
}
