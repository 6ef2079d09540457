//! The rows of one firing, whatever form Postgres hands them in: transition tables of a statement, or the row of a
//! trigger on a partition. Every row comes in a TupleTableSlot, with the descriptor that it was formed with; none is
//! ever read with another.

use pgrx::pg_sys;

use super::change::{Change, Old};
use super::mapping::Mapping;
use super::moves::{self, Moment};
use super::row::{Operation, Row};

/// The form in which Postgres hands over the rows.
enum Form {
    Tables {
        old: Option<TransitionTable>,
        new: Option<TransitionTable>,
    },
    Single {
        change: Option<Change>,
    },
}

/// The rows of one firing.
pub struct Rows {
    form: Form,
    operation: Operation,
}

impl Rows {
    /// The rows to look at, or `None` when this firing is not one of the watched operations.
    ///
    /// # Safety
    /// `trigger` is the data of an AFTER trigger's firing in progress at that moment, and `mapping` has the columns of
    /// its relation.
    pub unsafe fn of(
        trigger: &pg_sys::TriggerData,
        mapping: &Mapping,
        moment: Option<Moment>,
    ) -> Option<Self> {
        let operation = match trigger.tg_event & pg_sys::TRIGGER_EVENT_OPMASK {
            pg_sys::TRIGGER_EVENT_INSERT => Operation::Insert,
            pg_sys::TRIGGER_EVENT_UPDATE => Operation::Update,
            pg_sys::TRIGGER_EVENT_DELETE => Operation::Delete,
            _ => return None,
        };
        // SAFETY: handed on from the caller.
        unsafe {
            if trigger.tg_event & pg_sys::TRIGGER_EVENT_ROW != 0 {
                let change = single(trigger, operation, mapping, moment)
                    .filter(|change| mapping.has(change.operation))?;
                let operation = change.operation;
                return Some(Self {
                    form: Form::Single { change: Some(change) },
                    operation,
                });
            }
            if !mapping.has(operation) {
                return None;
            }
            let old = TransitionTable::open(trigger.tg_oldtable, trigger);
            let new = TransitionTable::open(trigger.tg_newtable, trigger);
            Some(Self {
                form: Form::Tables { old, new },
                operation,
            })
        }
    }

    /// True when the firing is for rows that were there before.
    pub fn is_update(&self) -> bool {
        self.operation == Operation::Update
    }

    /// The next row; it is valid until the following call.
    pub fn next(&mut self) -> Option<Change> {
        let (old, new) = match &mut self.form {
            Form::Single { change } => return change.take(),
            Form::Tables { old, new } => (old.as_mut(), new.as_mut()),
        };
        let operation = self.operation;
        let (row, old) = match operation {
            Operation::Insert => (new?.next()?, Old::Unknown),
            Operation::Delete => (old?.next()?, Old::Unknown),
            Operation::Update => {
                let old = old.and_then(TransitionTable::next).map_or(Old::Unknown, Old::Row);
                (new?.next()?, old)
            }
        };
        Some(Change { operation, row, old })
    }
}

/// A transition table with a read pointer of its own.
struct TransitionTable {
    store: *mut pg_sys::Tuplestorestate,
    pointer: i32,
    tuple_slot: *mut pg_sys::TupleTableSlot,
}

impl TransitionTable {
    unsafe fn open(store: *mut pg_sys::Tuplestorestate, trigger: &pg_sys::TriggerData) -> Option<Self> {
        if store.is_null() {
            return None;
        }
        // SAFETY: the tuplestore lives as long as the firing. A statement's triggers are those of the table that the
        // statement names, and Postgres has converted every row of a child to that table's descriptor before it stored
        // it. The relation is locked by the statement, so the descriptor cannot have changed since; the TupleTableSlot
        // keeps a reference.
        unsafe {
            let pointer = pg_sys::tuplestore_alloc_read_pointer(store, pg_sys::EXEC_FLAG_REWIND as i32);
            pg_sys::tuplestore_select_read_pointer(store, pointer);
            pg_sys::tuplestore_rescan(store);
            let description = (*trigger.tg_relation).rd_att;
            let tuple_slot =
                pg_sys::MakeSingleTupleTableSlot(description, &raw const pg_sys::TTSOpsMinimalTuple);
            Some(Self {
                store,
                pointer,
                tuple_slot,
            })
        }
    }

    fn next(&mut self) -> Option<Row> {
        // SAFETY: made in `open`. The row lies in the store's memory or in the TupleTableSlot's own, so it lives until
        // the TupleTableSlot gets another.
        unsafe {
            pg_sys::tuplestore_select_read_pointer(self.store, self.pointer);
            pg_sys::tuplestore_gettupleslot(self.store, true, false, self.tuple_slot)
                .then(|| Row::held_by(self.tuple_slot))
        }
    }
}

impl Drop for TransitionTable {
    fn drop(&mut self) {
        // After an error the TupleTableSlot goes with its context, and its reference with the resource owner.
        if !std::thread::panicking() {
            // SAFETY: made in `open`; no row is used after the table.
            unsafe { pg_sys::ExecDropSingleTupleTableSlot(self.tuple_slot) }
        }
    }
}

/// The change of a row trigger; `None` for the first half of a move, which is kept for its second.
unsafe fn single(
    trigger: &pg_sys::TriggerData,
    operation: Operation,
    mapping: &Mapping,
    moment: Option<Moment>,
) -> Option<Change> {
    // SAFETY: an AFTER ROW trigger has its row in tg_trigslot, and the new one of an UPDATE in tg_newslot, both made by
    // Postgres for the relation of the trigger, and filled while it runs. tg_trigtuple is the row of tg_trigslot.
    unsafe {
        let row = Row::held_by(trigger.tg_trigslot);
        let partition = (*trigger.tg_relation).rd_id;
        let (operation, row, old) = match operation {
            Operation::Update => {
                let new = Row::held_by(trigger.tg_newslot);
                (operation, new, Old::Row(row))
            }
            Operation::Delete => match moment.filter(|_| moves::has_moved(trigger.tg_trigtuple)) {
                Some(moment) => {
                    moves::keep(mapping, &row, partition, moment);
                    return None;
                }
                None => (operation, row, Old::Unknown),
            },
            Operation::Insert => match moment.and_then(|now| moves::take(mapping, partition, now)) {
                Some(half) => (Operation::Update, row, Old::Moved(half)),
                None => (operation, row, Old::Unknown),
            },
        };
        Some(Change { operation, row, old })
    }
}
