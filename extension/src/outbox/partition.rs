//! One partition of the log: rows go straight to the heap and to its index, without the executor, as long as the index
//! is the one that the schema made. Must not know what the columns mean.

use std::ptr::{addr_of_mut, null_mut};

use pgrx::pg_sys::{self, Datum};

use crate::error::{Error, raise};
use crate::index_scan;

/// Columns of the log.
pub const COLUMNS: usize = 11;
/// The indexes of the two columns of the key in a row.
const KEY: [usize; 2] = [0, 2];
/// The same as Postgres counts columns.
pub const KEY_COLUMNS: [i16; 2] = [1, 3];

/// The values of one row in the order of the log's columns; `None` is null.
pub type LogRow = [Option<Datum>; COLUMNS];

/// An open partition.
pub struct Partition {
    heap: pg_sys::Relation,
}

impl Partition {
    /// Takes RowExclusiveLock. Raises when the log has other columns than this library writes.
    ///
    /// # Safety
    /// Runs inside a transaction, and `relid` is a partition of the log.
    pub unsafe fn open(relid: pg_sys::Oid) -> Self {
        // SAFETY: table_open raises when the table has gone.
        unsafe {
            let heap = pg_sys::table_open(relid, pg_sys::RowExclusiveLock as i32);
            if (*(*heap).rd_att).natts != COLUMNS as i32 {
                raise(Error::LogOfOtherVersion);
            }
            Self { heap }
        }
    }

    /// Stores `count` rows, adds them to every index that wants new rows, and closes the table; its lock stays until
    /// the transaction ends.
    ///
    /// # Safety
    /// The rows' values have the columns' types and live until it returns; there are `count` of them.
    pub unsafe fn insert(self, count: usize, rows: impl Iterator<Item = LogRow>) {
        // SAFETY: the TupleTableSlots are made for this heap, with as many columns as a row has, in the current
        // context, which outlives this call; they are dropped after the last use. An error frees them with the context.
        unsafe {
            let tuple_slots = pg_sys::palloc(count * size_of::<*mut pg_sys::TupleTableSlot>())
                .cast::<*mut pg_sys::TupleTableSlot>();
            for (at, row) in rows.take(count).enumerate() {
                let description = (*self.heap).rd_att;
                let tuple_slot =
                    pg_sys::MakeSingleTupleTableSlot(description, &raw const pg_sys::TTSOpsVirtual);
                fill(tuple_slot, &row);
                *tuple_slots.add(at) = tuple_slot;
            }
            let command = pg_sys::GetCurrentCommandId(true);
            pg_sys::heap_multi_insert(self.heap, tuple_slots, count as i32, command, 0, null_mut());
            let stored = std::slice::from_raw_parts(tuple_slots, count);
            match self.usual_index() {
                Some(index) => self.add_to(index, stored),
                None => self.add_to_all(stored),
            }
            for tuple_slot in stored {
                pg_sys::ExecDropSingleTupleTableSlot(*tuple_slot);
            }
            pg_sys::table_close(self.heap, pg_sys::NoLock as i32);
        }
    }

    /// The only index, opened, when it is that of the schema: ready, on the two columns of the key and nothing else.
    unsafe fn usual_index(&self) -> Option<pg_sys::Relation> {
        // SAFETY: the heap is open; the index is one of its own, so it cannot be dropped while the heap is locked.
        unsafe {
            let indexes = pgrx::PgList::<pg_sys::Oid>::from_pg(pg_sys::RelationGetIndexList(self.heap));
            let only = indexes.get_oid(0).filter(|_| indexes.len() == 1)?;
            let index = pg_sys::index_open(only, pg_sys::RowExclusiveLock as i32);
            let form = &*(*index).rd_index;
            let is_usual = form.indisready
                && !form.indisunique
                && !form.indisexclusion
                && usize::try_from(form.indnatts) == Ok(KEY.len())
                && index_scan::is_btree_on(index, &KEY_COLUMNS)
                && pg_sys::RelationGetIndexPredicate(index).is_null();
            if !is_usual {
                pg_sys::index_close(index, pg_sys::NoLock as i32);
                return None;
            }
            Some(index)
        }
    }

    /// Adds stored rows to the usual index and closes it.
    unsafe fn add_to(&self, index: pg_sys::Relation, stored: &[*mut pg_sys::TupleTableSlot]) {
        // SAFETY: the index has the two columns of the key, and heap_multi_insert has set each TupleTableSlot's
        // tts_tid.
        unsafe {
            let info = pg_sys::BuildIndexInfo(index);
            for tuple_slot in stored {
                let mut key = KEY.map(|at| *(**tuple_slot).tts_values.add(at));
                let mut nulls = [false; KEY.len()];
                pg_sys::index_insert(
                    index,
                    key.as_mut_ptr(),
                    nulls.as_mut_ptr(),
                    addr_of_mut!((**tuple_slot).tts_tid),
                    self.heap,
                    pg_sys::IndexUniqueCheck::UNIQUE_CHECK_NO,
                    false,
                    info,
                );
            }
            pg_sys::index_close(index, pg_sys::NoLock as i32);
        }
    }

    /// Adds stored rows to the indexes as the executor does: whichever there are, and not to one that is not ready. So
    /// is the log while an index is rebuilt, and after a rebuild that was given up.
    unsafe fn add_to_all(&self, stored: &[*mut pg_sys::TupleTableSlot]) {
        // SAFETY: the executor's state lives until the end of this function, and everything that it makes in it; the
        // node has the size and the tag of a ResultRelInfo, and zeros for the rest, as makeNode would give it.
        unsafe {
            let executor = pg_sys::CreateExecutorState();
            let target = pg_sys::palloc0(size_of::<pg_sys::ResultRelInfo>()).cast::<pg_sys::ResultRelInfo>();
            (*target).type_ = pg_sys::NodeTag::T_ResultRelInfo;
            pg_sys::InitResultRelInfo(target, self.heap, 1, null_mut(), 0);
            pg_sys::ExecOpenIndices(target, false);
            for tuple_slot in stored {
                insert_index_tuples(target, *tuple_slot, executor);
                let per_row = (*executor).es_per_tuple_exprcontext;
                if !per_row.is_null() {
                    pg_sys::MemoryContextReset((*per_row).ecxt_per_tuple_memory);
                }
            }
            pg_sys::ExecCloseIndices(target);
            pg_sys::FreeExecutorState(executor);
        }
    }
}

/// # Safety
/// The TupleTableSlot is virtual, of a descriptor with as many columns as a row has.
unsafe fn fill(tuple_slot: *mut pg_sys::TupleTableSlot, row: &LogRow) {
    // SAFETY: its arrays have an entry for each column.
    unsafe {
        pg_sys::ExecClearTuple(tuple_slot);
        for (at, value) in row.iter().enumerate() {
            *(*tuple_slot).tts_values.add(at) = value.unwrap_or(Datum::null());
            *(*tuple_slot).tts_isnull.add(at) = value.is_none();
        }
        pg_sys::ExecStoreVirtualTuple(tuple_slot);
    }
}

/// # Safety
/// The indexes are open and the TupleTableSlot's row is stored, as Postgres asks of its executor.
unsafe fn insert_index_tuples(
    target: *mut pg_sys::ResultRelInfo,
    tuple_slot: *mut pg_sys::TupleTableSlot,
    executor: *mut pg_sys::EState,
) {
    // SAFETY: handed on from the caller. From 16 on there is one parameter more: whether only summarizing indexes
    // count.
    unsafe {
        #[cfg(feature = "pg15")]
        pg_sys::ExecInsertIndexTuples(target, tuple_slot, executor, false, false, null_mut(), null_mut());
        #[cfg(not(feature = "pg15"))]
        pg_sys::ExecInsertIndexTuples(
            target,
            tuple_slot,
            executor,
            false,
            false,
            null_mut(),
            null_mut(),
            false,
        );
    }
}
