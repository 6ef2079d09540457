//! A row that moves between partitions: Postgres fires a DELETE trigger on the one and an INSERT trigger on the other. What
//! the first has seen is kept here for the second. It is read there and then, with the descriptor of its own partition,
//! and kept as values by the names of their columns: partitions differ in the order of their columns and in what was
//! dropped, so the row itself can be read with no other's.
//!
//! Both halves are of one command, and fire at one depth of triggers; in between, triggers of others may write whatever they
//! like. A first half whose second does not come is of a row that a trigger kept out of the other partition: it was deleted.

use std::cell::RefCell;

use pgrx::pg_sys::{self, CommandId, Datum, MemoryContext, SubTransactionId};

use super::mapping::{Mapping, Tenant};
use super::memory::within;
use super::rows::{Operation, Row};
use super::table::Column;
use crate::outbox::{self, Event};

/// The compared values of the old row, until the INSERT trigger of the same watch fires.
pub struct Half {
    values: Vec<(Column, Option<Datum>)>,
    watch: Watch,
    partition: pg_sys::Oid,
    moment: Moment,
    /// The type and the event of a row that is gone, if the watch wants such.
    gone: Option<(Vec<u8>, Event)>,
    /// Holds the values; below the transaction's own context, so it goes with that at the latest.
    context: MemoryContext,
    /// What happened in a savepoint goes with it.
    subtransaction: SubTransactionId,
}

/// The watched table and the argument of its triggers: several watches of one table each see both halves.
type Watch = (pg_sys::Oid, Vec<u8>);

/// When a trigger fires: within how many others, and for which command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    depth: i32,
    /// `None` for the trigger of a statement.
    command: Option<CommandId>,
}

thread_local! {
    static MOVING: RefCell<Vec<Half>> = const { RefCell::new(Vec::new()) };
}

/// Forgets half-seen moves; called at the end of every transaction, which frees their values.
pub fn forget_moves() {
    MOVING.with_borrow_mut(Vec::clear);
}

/// Forgets the moves of a savepoint that is rolled back; one that is released hands them on to its parent.
pub fn end_savepoint(ended: SubTransactionId, parent: Option<SubTransactionId>) {
    MOVING.with_borrow_mut(|moving| match parent {
        Some(parent) => {
            let of_it = moving.iter_mut().filter(|half| half.subtransaction == ended);
            of_it.for_each(|half| half.subtransaction = parent);
        }
        None => moving.retain(|half| half.subtransaction != ended),
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
    // SAFETY: a row trigger has its row in tg_trigtuple, and the new one of an UPDATE in tg_newtuple: complete tuples that this
    // transaction wrote. pg_trigger_depth takes no argument.
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
    let watch = watch(mapping);
    settle_where(|half| half.watch == watch && half.moment == moment);
    // SAFETY: the context of the transaction outlives the half, which `forget_moves` drops at its end.
    let half = unsafe {
        let context = pg_sys::AllocSetContextCreateInternal(
            pg_sys::TopTransactionContext,
            c"zerodb row between partitions".as_ptr(),
            pg_sys::ALLOCSET_DEFAULT_MINSIZE as usize,
            1024,
            pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
        );
        let values = mapping.compared().iter().map(|column| {
            let value = row.column(column.number);
            (column.clone(), value.map(|value| copy(column, value, context)))
        });
        let values = values.collect();
        let gone = mapping.has(Operation::Delete).then(|| {
            let tenant = mapping.tenant(row, &Tenant::of_session());
            (mapping.event.clone(), mapping.event(row, tenant, context))
        });
        Half {
            values,
            watch,
            partition,
            moment,
            gone,
            context,
            subtransaction: pg_sys::GetCurrentSubTransactionId(),
        }
    };
    MOVING.with_borrow_mut(|moving| moving.push(half));
}

/// The first half of the move whose second the mapping's trigger sees now, in `partition`.
pub fn take(mapping: &Mapping, partition: pg_sys::Oid, moment: Moment) -> Option<Half> {
    let watch = watch(mapping);
    MOVING.with_borrow_mut(|moving| {
        let fits = |half: &Half| half.watch == watch && half.moment == moment && half.partition != partition;
        let at = moving.iter().position(fits)?;
        Some(moving.swap_remove(at))
    })
}

/// Records the ends of rows whose second half can come no more at this moment: those of other commands at its depth, and all that are
/// deeper.
pub fn settle(now: Moment) {
    settle_where(|half| {
        let moment = half.moment;
        moment.depth > now.depth
            || moment.depth == now.depth && now.command.is_some() && moment.command != now.command
    });
}

/// Records the ends of all rows whose second half did not come; called before a transaction commits or is prepared.
pub fn settle_moves() {
    if MOVING.with_borrow(Vec::is_empty) {
        return;
    }
    // SAFETY: the transaction is still in progress. Values may be stored out of line, for which the server wants a snapshot.
    unsafe {
        pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        settle_where(|_| true);
        pg_sys::PopActiveSnapshot();
    }
}

fn settle_where(is_left: impl Fn(&Half) -> bool) {
    let left: Vec<Half> =
        MOVING.with_borrow_mut(|moving| moving.extract_if(.., |half| is_left(half)).collect());
    for half in left {
        if let Some((event_type, event)) = &half.gone {
            outbox::append(event_type, half.watch.0, std::slice::from_ref(event));
        }
        half.free();
    }
}

impl Half {
    /// True when a compared column has another value in `row`, or another type.
    ///
    /// # Safety
    /// `row` has the columns of the mapping.
    pub unsafe fn differs(&self, mapping: &Mapping, row: &Row) -> bool {
        mapping.compared().iter().any(|column| {
            let old = self.values.iter().find(|(known, _)| known.name == column.name);
            match (old, row.column(column.number)) {
                (Some((_, None)), None) => false,
                // SAFETY: both values have the type that the columns share, and the old one lives with the half.
                (Some((known, Some(a))), Some(b)) if known.type_oid == column.type_oid => unsafe {
                    !column.is_same(*a, b)
                },
                _ => true,
            }
        })
    }

    /// Frees the values; nothing else does before the end of the transaction.
    pub fn free(self) {
        // SAFETY: made by `keep` in this transaction, and the values are dropped with the half.
        unsafe { pg_sys::MemoryContextDelete(self.context) }
    }
}

fn watch(mapping: &Mapping) -> Watch {
    (mapping.root, mapping.argument.clone())
}

/// A copy of a value that depends on nothing else: fetched and decompressed.
///
/// # Safety
/// The value is of the column's type, and the context lives as long as the copy.
unsafe fn copy(column: &Column, value: Datum, context: MemoryContext) -> Datum {
    if column.by_value {
        return value;
    }
    // SAFETY: a value by reference has `length` bytes, or those that its header or its last zero says.
    unsafe {
        within(context, || match usize::try_from(column.length) {
            Ok(length) => {
                let copied = pg_sys::palloc(length);
                std::ptr::copy_nonoverlapping(value.cast_mut_ptr::<u8>(), copied.cast(), length);
                Datum::from(copied)
            }
            Err(_) if column.length == -1 => Datum::from(pg_sys::pg_detoast_datum_copy(value.cast_mut_ptr())),
            Err(_) => Datum::from(pg_sys::pstrdup(value.cast_mut_ptr())),
        })
    }
}
