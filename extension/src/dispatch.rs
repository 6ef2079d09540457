//! Moves the dispatcher: reads the next events of the log, pairs them with the hooks that match, makes the deliveries
//! and moves the cursor, in one statement of the worker's and one transaction. `zerodb._dispatch` says what it
//! promises. Here is the order of the parts; none of them decides for another.
//!
//! In C, because one statement of SQL for all of it cost a look at one event 1.85 million instructions, and each look
//! at many the hooks of all users (ARCHITECTURE.md has the figures).

mod answer;
mod array;
mod event;
mod hooks;
mod pairs;
mod place;
mod statements;
mod step;
mod writes;

use pgrx::pg_sys::{self, Datum};
use pgrx::prelude::*;
use zerodb_hooks_contract::lock::Lock;

use crate::error::{Error, raise};
use crate::lock;
use crate::outbox::Reader;
use crate::prepared::connected;
use answer::{Answer, Counts};
use event::Event;
use hooks::Hooks;
use pairs::{Fate, Pairs, Room};
use place::Place;
use statements::Statements;
use step::{Bounds, Step};
use writes::Decided;

/// Events whose hooks are read at once.
const AT_ONCE: usize = 256;

thread_local! {
    static STATEMENTS: Statements = const { Statements::new() };
}

/// What the worker asks for.
struct Request {
    bounds: Bounds,
    lease: i64,
    room: Room,
}

/// The events that are taken, and their pairs.
#[derive(Default)]
struct Taken {
    events: Vec<Event>,
    hooks: Hooks,
    pairs: Pairs,
    /// The window is read to its end.
    at_end: bool,
}

entry!(pg_finfo_zerodb_dispatch);

/// `zerodb._dispatch(max_events, lease, room, saturated, pairs, bytes)`. Takes the lock `dispatch` without waiting, and
/// AccessShareLock on the log's partitions, until the transaction ends. Raises 55000 where the log or its cursor are of
/// another version, 23505 where somebody has moved the cursor without the lock, and what its statements raise.
///
/// # Safety
/// Called by Postgres with the six arguments of its declaration, which is STRICT and returns a set of records.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn zerodb_dispatch(fcinfo: pg_sys::FunctionCallInfo) -> Datum {
    // SAFETY: six arguments, none null. InitMaterializedSRF raises where the caller takes no set, and else has made
    // the store, in memory that outlives this call. What is asked of the log is asked with a snapshot that is taken
    // under the lock, so that it sees where the last owner of the lock has left the cursor.
    unsafe {
        let request = request((*fcinfo).args.as_slice(6));
        pg_sys::InitMaterializedSRF(fcinfo, 0);
        if lock::try_alone(Lock::Dispatch) {
            let result = &*(*fcinfo).resultinfo.cast::<pg_sys::ReturnSetInfo>();
            let (rows, columns) = (result.setResult, result.setDesc);
            pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
            connected(|| {
                STATEMENTS.with(|statements| dispatch(statements, &request, &Answer::new(rows, columns)));
            });
            pg_sys::PopActiveSnapshot();
        }
        (*fcinfo).isnull = true;
        Datum::null()
    }
}

/// # Safety
/// The arguments of `zerodb._dispatch`, none null.
unsafe fn request(arguments: &[pg_sys::NullableDatum]) -> Request {
    let number = |at: usize| arguments[at].value.value() as i64;
    let count = |at: usize| usize::try_from(number(at) as i32).unwrap_or(0);
    // SAFETY: handed on from the caller: the fourth is a uuid[].
    let saturated = unsafe { array::uuids(arguments[3].value) };
    Request {
        bounds: Bounds {
            events: count(0),
            pairs: number(4),
            bytes: number(5),
        },
        lease: number(1),
        room: Room {
            deliveries: count(2),
            saturated: saturated.into_iter().collect(),
        },
    }
}

/// One step.
///
/// # Safety
/// Within a connection, with an active snapshot and the lock.
unsafe fn dispatch(statements: &Statements, request: &Request, answer: &Answer) {
    // SAFETY: handed on from the caller.
    unsafe {
        let Some(place) = Place::read(statements) else {
            raise(Error::NotInstalled);
        };
        let mut taken = take(statements, &place, request);
        let has_room = request.room.deliveries > 0 && taken.pairs.any(|fate| matches!(fate, Fate::Ready));
        if has_room && statements.hold_lease.run(&[request.lease.into_datum()]).len() > 0 {
            taken.pairs.lease(&taken.hooks, &request.room);
        }
        place.move_to(statements, taken.events.last(), taken.at_end);
        let decided = taken.decided();
        let batches = decided.batches();
        decided.lease(statements, &batches, request.lease);
        decided.queue(statements, place.seq + 1);
        let counts = Counts {
            events: taken.events.len(),
            matched: taken.pairs.all.len(),
            fresh: place.fresh,
            ordered: place.has_signals || taken.pairs.any(|fate| matches!(fate, Fate::Ordered(_))),
            undecided: taken.pairs.any(|fate| matches!(fate, Fate::Undecided)),
        };
        answer.tell(&counts, &decided, &batches);
    }
}

/// Reads events as far as the bounds allow, and pairs them.
///
/// # Safety
/// As for `dispatch`.
unsafe fn take(statements: &Statements, place: &Place, request: &Request) -> Taken {
    let Some(window) = place.window() else {
        raise(Error::LogOfOtherVersion);
    };
    let mut step = Step::new(request.bounds);
    let mut taken = Taken::default();
    // SAFETY: handed on from the caller; the snapshot is that under which the window was opened, or a later one.
    unsafe {
        let sequence = sequence();
        let mut reader = Reader::open(window);
        loop {
            let read = read(&mut reader, step.room().min(AT_ONCE));
            taken.at_end = read.is_empty() && !step.is_full();
            if read.is_empty() || !taken.add(statements, &mut step, read, sequence) {
                break;
            }
        }
        reader.close();
    }
    taken
}

impl Taken {
    /// Takes events and pairs them; false when one is for another step.
    ///
    /// # Safety
    /// As for `dispatch`.
    unsafe fn add(
        &mut self,
        statements: &Statements,
        step: &mut Step,
        events: Vec<Event>,
        sequence: pg_sys::Oid,
    ) -> bool {
        // SAFETY: handed on from the caller.
        unsafe {
            let wanted = self.hooks.load(statements, &events, step.hooks());
            for (event, wanted) in events.into_iter().zip(wanted) {
                if self.events.is_empty() {
                    self.hooks.load_all(statements, &event, wanted);
                }
                let Some(hooks) = self.hooks.of(wanted) else {
                    return false;
                };
                if !step.take(hooks.clone().count(), event.bytes()) {
                    return false;
                }
                self.pairs
                    .add(self.events.len(), &event, &self.hooks, hooks, || next(sequence));
                self.events.push(event);
            }
        }
        true
    }

    fn decided(&self) -> Decided<'_> {
        Decided {
            events: &self.events,
            hooks: &self.hooks,
            pairs: &self.pairs,
        }
    }
}

/// The next events, at most so many.
///
/// # Safety
/// As for `dispatch`; the copies live as long as the connection.
unsafe fn read(reader: &mut Reader, most: usize) -> Vec<Event> {
    let mut events = Vec::new();
    // SAFETY: handed on from the caller.
    unsafe {
        while events.len() < most
            && let Some(row) = reader.next()
        {
            events.push(Event::copy(row));
        }
    }
    events
}

/// The sequence of the deliveries' ids.
fn sequence() -> pg_sys::Oid {
    // SAFETY: catalog look-ups by C strings.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"zerodb".as_ptr(), false);
        pg_sys::get_relname_relid(c"delivery_id_seq".as_ptr(), schema)
    }
}

fn next(sequence: pg_sys::Oid) -> i64 {
    // SAFETY: the function takes an oid and raises where it is no sequence's.
    let next = unsafe { pgrx::direct_function_call::<i64>(pg_sys::nextval_oid, &[sequence.into_datum()]) };
    next.unwrap_or_default()
}
