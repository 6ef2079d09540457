//! A row that moves between partitions: Postgres fires a DELETE trigger on the one and an INSERT trigger on the other.
//! What the first has seen is kept here for the second. It is read there and then, with the descriptor of its own
//! partition, and kept as values by the names of their columns: partitions differ in the order of their columns and in
//! what was dropped, so the row itself can be read with no other's.
//!
//! Both halves are of one command, and fire at one depth of triggers; in between, triggers of others may write whatever
//! they like. A first half whose second does not come is of a row that a trigger kept out of the other partition: it
//! was deleted.

use std::cell::RefCell;
use std::ffi::c_void;

use pgrx::pg_sys::{self, CommandId, SubTransactionId};
use pgrx::prelude::*;

use super::change::Half;
use super::mapping::Mapping;
use super::row::{Operation, Row};
use super::tenant::Tenant;
use crate::outbox::{self, Event};

/// A row that has left one partition, until the INSERT trigger of the same watch fires in another.
struct Move {
    half: Half,
    watch: Watch,
    partition: pg_sys::Oid,
    moment: Moment,
    /// The type and the event of a row that is gone, if the watch wants such. Its values live with the half.
    gone: Option<(Vec<u8>, Event)>,
    /// A move that was seen in a savepoint goes with it.
    subtransaction: SubTransactionId,
}

/// The watched table and the argument of its triggers: several watches of one table each see both halves.
#[derive(PartialEq, Eq)]
struct Watch {
    table: pg_sys::Oid,
    argument: Vec<u8>,
}

impl Watch {
    fn of(mapping: &Mapping) -> Self {
        Self {
            table: mapping.root,
            argument: mapping.argument.clone(),
        }
    }
}

/// The moment at which a trigger fires: within how many others, and for which command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    depth: i32,
    /// `None` for the trigger of a statement.
    command: Option<CommandId>,
}

thread_local! {
    static MOVING: RefCell<Vec<Move>> = const { RefCell::new(Vec::new()) };
}

/// Registers for the ends of transactions and savepoints; called once, when the library is loaded. After
/// `wake::register`: Postgres calls the callback that was registered last first, and events that are recorded before a
/// commit ask for a wake-up there.
pub fn register() {
    // SAFETY: the callbacks are static functions and need no argument.
    unsafe {
        pg_sys::RegisterXactCallback(Some(at_transaction_end), std::ptr::null_mut());
        pg_sys::RegisterSubXactCallback(Some(at_savepoint_end), std::ptr::null_mut());
    }
}

/// Before a commit or PREPARE TRANSACTION what is left is recorded. The end of the transaction frees the values.
#[pg_guard]
unsafe extern "C-unwind" fn at_transaction_end(event: pg_sys::XactEvent::Type, _argument: *mut c_void) {
    use pg_sys::XactEvent::{XACT_EVENT_PRE_COMMIT, XACT_EVENT_PRE_PREPARE};
    if event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE {
        settle_all();
    }
    if event != XACT_EVENT_PRE_COMMIT {
        MOVING.with_borrow_mut(Vec::clear);
    }
}

/// The moves of a savepoint that is rolled back are forgotten; one that is released hands them on to its parent.
#[pg_guard]
unsafe extern "C-unwind" fn at_savepoint_end(
    event: pg_sys::SubXactEvent::Type,
    ended: SubTransactionId,
    parent: SubTransactionId,
    _argument: *mut c_void,
) {
    MOVING.with_borrow_mut(|moving| match event {
        pg_sys::SubXactEvent::SUBXACT_EVENT_COMMIT_SUB => {
            let of_it = moving.iter_mut().filter(|other| other.subtransaction == ended);
            of_it.for_each(|other| other.subtransaction = parent);
        }
        pg_sys::SubXactEvent::SUBXACT_EVENT_ABORT_SUB => {
            moving.retain(|other| other.subtransaction != ended);
        }
        _ => {}
    });
}

/// True for the old version of a row that an UPDATE moved to another partition.
///
/// # Safety
/// The tuple is that of an AFTER ROW trigger.
pub unsafe fn has_moved(tuple: pg_sys::HeapTuple) -> bool {
    const MOVED_OFFSET: u16 = 0xfffd;
    // SAFETY: such a tuple has a complete header, and lives while the trigger runs.
    let next = unsafe { (*(*tuple).t_data).t_ctid };
    next.ip_posid == MOVED_OFFSET && next.ip_blkid.bi_hi == u16::MAX && next.ip_blkid.bi_lo == u16::MAX
}

/// The moment of a firing; `None` while nothing is moving and this row does not either, when nobody asks.
///
/// # Safety
/// `trigger` is the data of an AFTER trigger's firing in progress.
pub unsafe fn moment(trigger: &pg_sys::TriggerData) -> Option<Moment> {
    // SAFETY: a row trigger has its row in tg_trigtuple, and the new one of an UPDATE in tg_newtuple: complete tuples
    // that this transaction wrote. pg_trigger_depth takes no argument.
    unsafe {
        let is_row = trigger.tg_event & pg_sys::TRIGGER_EVENT_ROW != 0;
        let operation = trigger.tg_event & pg_sys::TRIGGER_EVENT_OPMASK;
        let is_delete = operation == pg_sys::TRIGGER_EVENT_DELETE;
        let starts = is_row && is_delete && has_moved(trigger.tg_trigtuple);
        if !starts && MOVING.with_borrow(Vec::is_empty) {
            return None;
        }
        let command = is_row.then(|| match operation {
            pg_sys::TRIGGER_EVENT_DELETE => pg_sys::HeapTupleHeaderGetCmax((*trigger.tg_trigtuple).t_data),
            pg_sys::TRIGGER_EVENT_UPDATE => pg_sys::HeapTupleHeaderGetCmin((*trigger.tg_newtuple).t_data),
            _ => pg_sys::HeapTupleHeaderGetCmin((*trigger.tg_trigtuple).t_data),
        });
        let depth = pgrx::direct_function_call::<i32>(pg_sys::pg_trigger_depth, &[]).unwrap_or(0);
        Some(Moment { depth, command })
    }
}

/// Keeps the first half of a move. One of the same watch and moment that is still there was its row's end.
///
/// # Safety
/// `row` has the columns of the mapping and lay in the partition.
pub unsafe fn keep(mapping: &Mapping, row: &Row, partition: pg_sys::Oid, moment: Moment) {
    let watch = Watch::of(mapping);
    settle_where(|other| other.watch == watch && other.moment == moment);
    // SAFETY: handed on from the caller; the event lies in the half's own memory.
    let seen = unsafe {
        let half = Half::of(mapping.compared(), row);
        let gone = mapping.has(Operation::Delete).then(|| {
            let tenant = mapping.tenant(row, &Tenant::of_session());
            (mapping.event.clone(), mapping.event(row, tenant, half.context()))
        });
        Move {
            half,
            watch,
            partition,
            moment,
            gone,
            subtransaction: pg_sys::GetCurrentSubTransactionId(),
        }
    };
    MOVING.with_borrow_mut(|moving| moving.push(seen));
}

/// The first half of the move whose second the mapping's trigger sees now, in `partition`.
pub fn take(mapping: &Mapping, partition: pg_sys::Oid, moment: Moment) -> Option<Half> {
    let watch = Watch::of(mapping);
    MOVING.with_borrow_mut(|moving| {
        let fits =
            |other: &Move| other.watch == watch && other.moment == moment && other.partition != partition;
        let at = moving.iter().position(fits)?;
        Some(moving.swap_remove(at).half)
    })
}

/// Records the ends of rows whose second half can come no more at this moment: those of other commands at its depth,
/// and all that are deeper.
pub fn settle(now: Moment) {
    settle_where(|other| {
        let moment = other.moment;
        moment.depth > now.depth
            || moment.depth == now.depth && now.command.is_some() && moment.command != now.command
    });
}

/// Records the ends of all rows whose second half did not come.
fn settle_all() {
    if MOVING.with_borrow(Vec::is_empty) {
        return;
    }
    // SAFETY: the transaction is still in progress. Values may be stored out of line, for which the server wants a
    // snapshot.
    unsafe {
        pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        settle_where(|_| true);
        pg_sys::PopActiveSnapshot();
    }
}

fn settle_where(is_left: impl Fn(&Move) -> bool) {
    let left: Vec<Move> =
        MOVING.with_borrow_mut(|moving| moving.extract_if(.., |other| is_left(other)).collect());
    for Move {
        half, watch, gone, ..
    } in left
    {
        if let Some((event_type, event)) = &gone {
            outbox::append(event_type, watch.table, std::slice::from_ref(event));
        }
        half.free();
    }
}
