//! The rows of one firing, whatever form Postgres hands them in: transition tables of a statement, or the tuples of one
//! row on a partition. A row that moves between partitions arrives as a DELETE and an INSERT trigger; the two are joined
//! to the update that they are.

use std::cell::RefCell;
use std::collections::HashMap;

use pgrx::{PgTupleDesc, pg_sys};

use super::mapping::Mapping;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    Insert,
    Update,
    Delete,
}

/// One changed row. `row` is the new one, or the old one of a DELETE.
pub struct Change {
    pub operation: Operation,
    pub row: Row,
    pub old: Option<Row>,
}

/// A row whose columns can be read.
pub struct Row {
    slot: *mut pg_sys::TupleTableSlot,
    /// False for a row of a transition table, whose slot is used again for the next.
    owns_slot: bool,
}

impl Drop for Row {
    fn drop(&mut self) {
        if self.owns_slot {
            // SAFETY: made by `row_of` for this row alone.
            unsafe { pg_sys::ExecDropSingleTupleTableSlot(self.slot) }
        }
    }
}

impl Row {
    /// The value of a column, by its number from 1; `None` is null.
    pub fn column(&self, number: i16) -> Option<pg_sys::Datum> {
        // SAFETY: the slot holds a tuple of the relation whose columns the mapping was read from.
        unsafe {
            pg_sys::slot_getsomeattrs(self.slot, i32::from(number));
            let at = number as usize - 1;
            (!*(*self.slot).tts_isnull.add(at)).then(|| *(*self.slot).tts_values.add(at))
        }
    }
}

/// The old row of a move between partitions, until the INSERT trigger of the same watch fires.
struct Moving {
    tuple: pg_sys::HeapTuple,
    description: pg_sys::TupleDesc,
    /// A rolled back savepoint leaves its half behind; its number tells.
    subtransaction: pg_sys::SubTransactionId,
}

thread_local! {
    /// By event type: several watches of one table each see both halves.
    static MOVING: RefCell<HashMap<Vec<u8>, Moving>> = RefCell::new(HashMap::new());
}

/// Forgets half-seen moves; called at the end of every transaction, which frees their tuples.
pub fn forget_moves() {
    MOVING.with_borrow_mut(HashMap::clear);
}

enum Source {
    Tables { old: Option<Table>, new: Option<Table> },
    Single { change: Option<Change> },
}

pub struct Rows {
    source: Source,
    operation: Operation,
}

impl Rows {
    /// The rows to look at, or `None` when this firing is not one of the watched operations.
    ///
    /// # Safety
    /// `trigger` is the data of a firing in progress.
    pub unsafe fn of(trigger: &pg_sys::TriggerData, mapping: &Mapping) -> Option<Self> {
        let operation = match trigger.tg_event & pg_sys::TRIGGER_EVENT_OPMASK {
            pg_sys::TRIGGER_EVENT_INSERT => Operation::Insert,
            pg_sys::TRIGGER_EVENT_UPDATE => Operation::Update,
            pg_sys::TRIGGER_EVENT_DELETE => Operation::Delete,
            _ => return None,
        };
        // SAFETY: handed on from the caller.
        unsafe {
            if trigger.tg_event & pg_sys::TRIGGER_EVENT_ROW != 0 {
                let change =
                    single(trigger, operation, mapping).filter(|change| mapping.has(change.operation))?;
                let operation = change.operation;
                return Some(Self {
                    source: Source::Single { change: Some(change) },
                    operation,
                });
            }
            if !mapping.has(operation) {
                return None;
            }
            let old = Table::open(trigger.tg_oldtable, trigger);
            let new = Table::open(trigger.tg_newtable, trigger);
            Some(Self {
                source: Source::Tables { old, new },
                operation,
            })
        }
    }

    /// The next row; it is valid until the following call.
    pub fn next(&mut self) -> Option<Change> {
        let (old, new) = match &mut self.source {
            Source::Single { change } => return change.take(),
            Source::Tables { old, new } => (old.as_mut(), new.as_mut()),
        };
        let operation = self.operation;
        match operation {
            Operation::Insert => Some(Change {
                operation,
                row: new?.next()?,
                old: None,
            }),
            Operation::Delete => Some(Change {
                operation,
                row: old?.next()?,
                old: None,
            }),
            Operation::Update => {
                let (old, row) = (old?.next(), new?.next()?);
                Some(Change { operation, row, old })
            }
        }
    }
}

/// A transition table with a read pointer of its own.
struct Table {
    store: *mut pg_sys::Tuplestorestate,
    pointer: i32,
    slot: *mut pg_sys::TupleTableSlot,
}

impl Table {
    unsafe fn open(store: *mut pg_sys::Tuplestorestate, trigger: &pg_sys::TriggerData) -> Option<Self> {
        if store.is_null() {
            return None;
        }
        // SAFETY: the tuplestore lives as long as the firing.
        unsafe {
            let pointer = pg_sys::tuplestore_alloc_read_pointer(store, pg_sys::EXEC_FLAG_REWIND as i32);
            pg_sys::tuplestore_select_read_pointer(store, pointer);
            pg_sys::tuplestore_rescan(store);
            let description = (*trigger.tg_relation).rd_att;
            let slot = pg_sys::MakeSingleTupleTableSlot(description, &raw const pg_sys::TTSOpsMinimalTuple);
            Some(Self { store, pointer, slot })
        }
    }

    fn next(&mut self) -> Option<Row> {
        // SAFETY: made in `open`.
        unsafe {
            pg_sys::tuplestore_select_read_pointer(self.store, self.pointer);
            pg_sys::tuplestore_gettupleslot(self.store, true, false, self.slot).then_some(Row {
                slot: self.slot,
                owns_slot: false,
            })
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // SAFETY: made in `open`; no row is used after the table.
        unsafe { pg_sys::ExecDropSingleTupleTableSlot(self.slot) }
    }
}

/// The change of a row trigger; `None` for the first half of a move, which is kept for its second.
unsafe fn single(trigger: &pg_sys::TriggerData, operation: Operation, mapping: &Mapping) -> Option<Change> {
    // SAFETY: tg_trigtuple and tg_newtuple are set as Postgres documents for each operation.
    unsafe {
        let description = (*trigger.tg_relation).rd_att;
        let row = row_of(description, trigger.tg_trigtuple);
        match operation {
            Operation::Update => Some(Change {
                operation,
                row: row_of(description, trigger.tg_newtuple),
                old: Some(row),
            }),
            Operation::Delete if has_moved(trigger.tg_trigtuple) => {
                let half = Moving::keep(trigger.tg_trigtuple, description);
                MOVING.with_borrow_mut(|moving| moving.insert(mapping.event.clone(), half));
                None
            }
            Operation::Delete => Some(Change {
                operation,
                row,
                old: None,
            }),
            Operation::Insert => {
                let half = MOVING.with_borrow_mut(|moving| moving.remove(&mapping.event));
                match half.filter(|half| half.subtransaction == pg_sys::GetCurrentSubTransactionId()) {
                    None => Some(Change {
                        operation,
                        row,
                        old: None,
                    }),
                    Some(half) => {
                        let old = half
                            .has_columns_of(description)
                            .then(|| row_of(description, half.tuple));
                        Some(Change {
                            operation: Operation::Update,
                            row,
                            old,
                        })
                    }
                }
            }
        }
    }
}

impl Moving {
    unsafe fn keep(tuple: pg_sys::HeapTuple, description: pg_sys::TupleDesc) -> Self {
        // SAFETY: the copies must outlive this firing but not the transaction.
        unsafe {
            let before = pg_sys::MemoryContextSwitchTo(pg_sys::TopTransactionContext);
            let kept = Self {
                tuple: pg_sys::heap_copytuple(tuple),
                description: pg_sys::CreateTupleDescCopy(description),
                subtransaction: pg_sys::GetCurrentSubTransactionId(),
            };
            pg_sys::MemoryContextSwitchTo(before);
            kept
        }
    }

    /// True when both partitions have the same columns at the same places, so that the rows can be compared.
    unsafe fn has_columns_of(&self, other: pg_sys::TupleDesc) -> bool {
        // SAFETY: both descriptions are complete.
        let (here, there) = unsafe {
            (
                PgTupleDesc::from_pg_unchecked(self.description),
                PgTupleDesc::from_pg_unchecked(other),
            )
        };
        here.len() == there.len()
            && here
                .iter()
                .zip(there.iter())
                .all(|(a, b)| a.attname.data == b.attname.data && a.atttypid == b.atttypid)
    }
}

/// True for the old version of a row that an UPDATE moved to another partition.
unsafe fn has_moved(tuple: pg_sys::HeapTuple) -> bool {
    const MOVED_OFFSET: u16 = 0xfffd;
    // SAFETY: the tuple was read from the heap.
    let next = unsafe { (*(*tuple).t_data).t_ctid };
    next.ip_posid == MOVED_OFFSET && next.ip_blkid.bi_hi == u16::MAX && next.ip_blkid.bi_lo == u16::MAX
}

unsafe fn row_of(description: pg_sys::TupleDesc, tuple: pg_sys::HeapTuple) -> Row {
    // SAFETY: the slot does not own the tuple, which outlives it.
    unsafe {
        let slot = pg_sys::MakeSingleTupleTableSlot(description, &raw const pg_sys::TTSOpsHeapTuple);
        pg_sys::ExecStoreHeapTuple(tuple, slot, false);
        Row {
            slot,
            owns_slot: true,
        }
    }
}
