//! One changed row, and what is known of it before the change. Must not know what of it counts.

use pgrx::pg_sys::{self, Datum, MemoryContext};

use super::memory::within;
use super::row::{Operation, Row};
use super::table::Column;

/// One changed row. `row` is the new one, or the old one of a DELETE.
pub struct Change {
    pub operation: Operation,
    pub row: Row,
    pub old: Old,
}

/// The row before an UPDATE, as far as it is known.
pub enum Old {
    Unknown,
    Row(Row),
    /// It lay in another partition.
    Moved(Half),
}

/// Values of a row that left a partition, by the names of their columns.
pub struct Half {
    values: Vec<(Column, Option<Datum>)>,
    /// Holds the values; below the transaction's own context, so it goes with that at the latest.
    context: MemoryContext,
}

impl Half {
    /// Copies the values of these columns.
    ///
    /// # Safety
    /// `row` has these columns.
    pub unsafe fn of(columns: &[Column], row: &Row) -> Self {
        // SAFETY: the context of the transaction outlives the values, which are forgotten at its end.
        unsafe {
            let context = pg_sys::AllocSetContextCreateInternal(
                pg_sys::TopTransactionContext,
                c"zerodb row between partitions".as_ptr(),
                pg_sys::ALLOCSET_DEFAULT_MINSIZE as usize,
                1024,
                pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
            );
            let values = columns.iter().map(|column| {
                let value = row.column(column.number);
                (column.clone(), value.map(|value| copy(column, value, context)))
            });
            Self {
                values: values.collect(),
                context,
            }
        }
    }

    /// Memory that lives as long as the values.
    pub fn context(&self) -> MemoryContext {
        self.context
    }

    /// True when one of these columns has another value in `row`, or another type.
    ///
    /// # Safety
    /// `row` has these columns.
    pub unsafe fn differs(&self, columns: &[Column], row: &Row) -> bool {
        columns.iter().any(|column| {
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

    /// Frees the values and all else in their memory; nothing else does before the end of the transaction.
    pub fn free(self) {
        // SAFETY: made by `of` in this transaction, and the values are dropped with the half.
        unsafe { pg_sys::MemoryContextDelete(self.context) }
    }
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
