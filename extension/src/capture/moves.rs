//! A row that moves between partitions: Postgres fires a DELETE trigger on the one and an INSERT trigger on the other. What
//! the first has seen is kept here for the second. It is read there and then, with the descriptor of its own partition,
//! and kept as values by the names of their columns: partitions differ in the order of their columns and in what was
//! dropped, so the row itself can be read with no other's.

use std::cell::RefCell;
use std::collections::HashMap;

use pgrx::pg_sys::{self, Datum, MemoryContext};

use super::mapping::Mapping;
use super::memory::within;
use super::rows::Row;
use super::table::Column;

/// The compared values of the old row, until the INSERT trigger of the same watch fires.
pub struct Half {
    values: Vec<(Column, Option<Datum>)>,
    /// Holds the values; below the transaction's own context, so it goes with that at the latest.
    context: MemoryContext,
    /// A rolled back savepoint leaves its half behind; its number tells.
    subtransaction: pg_sys::SubTransactionId,
}

/// The watched table and the event type: several watches of one table each see both halves.
type Watch = (pg_sys::Oid, Vec<u8>);

thread_local! {
    static MOVING: RefCell<HashMap<Watch, Half>> = RefCell::new(HashMap::new());
}

/// Forgets half-seen moves; called at the end of every transaction, which frees their values.
pub fn forget_moves() {
    MOVING.with_borrow_mut(HashMap::clear);
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

/// Keeps the first half of a move.
///
/// # Safety
/// `row` has the columns of the mapping.
pub unsafe fn keep(mapping: &Mapping, row: &Row) {
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
        Half {
            values: values.collect(),
            context,
            subtransaction: pg_sys::GetCurrentSubTransactionId(),
        }
    };
    let replaced = MOVING.with_borrow_mut(|moving| moving.insert(watch(mapping), half));
    if let Some(replaced) = replaced {
        replaced.free();
    }
}

/// The first half of the move whose second the mapping's trigger sees now.
pub fn take(mapping: &Mapping) -> Option<Half> {
    let half = MOVING.with_borrow_mut(|moving| {
        if moving.is_empty() {
            return None;
        }
        moving.remove(&watch(mapping))
    })?;
    // SAFETY: only reads the state of the transaction.
    if half.subtransaction == unsafe { pg_sys::GetCurrentSubTransactionId() } {
        return Some(half);
    }
    half.free();
    None
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
    (mapping.root, mapping.event.clone())
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
