//! One event as the dispatcher reads it from the log. Relies on `sql/schema/log/outbox.sql` for the columns and their
//! order.

use pgrx::pg_sys::{self, Datum};

use crate::outbox::LOG_COLUMNS;

const XID: usize = 0;
const CREATED_AT: usize = 1;
const ORD: usize = 2;
const RELID: usize = 3;
const SLOT: usize = 4;
const USER_ID: usize = 5;
const PROJECT_ID: usize = 6;
const EVENT_TYPE: usize = 7;
const DATA: usize = 8;
const BANK_ID: usize = 9;
const TRACEPARENT: usize = 10;

/// A copy of a row. It lives as long as the context that was current when it was made.
pub struct Event {
    values: [Option<Datum>; LOG_COLUMNS],
}

impl Event {
    /// # Safety
    /// The slot holds a row of the log.
    pub unsafe fn copy(row: *mut pg_sys::TupleTableSlot) -> Self {
        // SAFETY: handed on from the caller: the descriptor has as many columns as a row of the log.
        unsafe {
            let (mut values, mut nulls) = ([Datum::null(); LOG_COLUMNS], [false; LOG_COLUMNS]);
            let tuple = pg_sys::ExecCopySlotHeapTuple(row);
            pg_sys::heap_deform_tuple(
                tuple,
                (*row).tts_tupleDescriptor,
                values.as_mut_ptr(),
                nulls.as_mut_ptr(),
            );
            let mut at = 0;
            Self {
                values: values.map(|value| {
                    at += 1;
                    (!nulls[at - 1]).then_some(value)
                }),
            }
        }
    }

    pub fn xid(&self) -> u64 {
        self.number(XID) as u64
    }

    pub fn ord(&self) -> i32 {
        self.number(ORD) as i32
    }

    pub fn slot(&self) -> i16 {
        self.number(SLOT) as i16
    }

    pub fn user(&self) -> Option<[u8; 16]> {
        self.uuid(USER_ID)
    }

    pub fn project(&self) -> Option<[u8; 16]> {
        self.uuid(PROJECT_ID)
    }

    pub fn created_at(&self) -> Option<Datum> {
        self.values[CREATED_AT]
    }

    pub fn data(&self) -> Option<Datum> {
        self.values[DATA]
    }

    /// In the server's encoding, in the current context.
    pub fn event_type(&self) -> &[u8] {
        let Some(value) = self.values[EVENT_TYPE] else {
            return &[];
        };
        // SAFETY: a text; made whole it lives in the current context, as the row does.
        unsafe {
            let text = pg_sys::pg_detoast_datum_packed(value.cast_mut_ptr());
            std::slice::from_raw_parts(pgrx::vardata_any(text).cast(), pgrx::varsize_any_exhdr(text))
        }
    }

    /// Bytes of its data and of its type, before compression.
    pub fn bytes(&self) -> i64 {
        size(self.values[DATA]) + size(self.values[EVENT_TYPE])
    }

    /// Bytes of its data.
    pub fn data_bytes(&self) -> i64 {
        size(self.values[DATA])
    }

    /// What the worker is told of it, in the order of the columns of `zerodb._dispatch`.
    pub fn told(&self) -> [Option<Datum>; 10] {
        [
            XID,
            ORD,
            EVENT_TYPE,
            DATA,
            USER_ID,
            PROJECT_ID,
            BANK_ID,
            TRACEPARENT,
            CREATED_AT,
            RELID,
        ]
        .map(|column| self.values[column])
    }

    fn number(&self, column: usize) -> usize {
        self.values[column].map_or(0, Datum::value)
    }

    fn uuid(&self, column: usize) -> Option<[u8; 16]> {
        // SAFETY: a UUID is a pointer to its bytes, in the copied row.
        self.values[column].map(|value| unsafe { *value.cast_mut_ptr::<[u8; 16]>() })
    }
}

/// The bytes of a text or json, whatever form it is stored in.
fn size(value: Option<Datum>) -> i64 {
    // SAFETY: a varlena of the copied row; it is not read, only measured.
    let raw = value.map_or(pg_sys::VARHDRSZ, |value| unsafe {
        pg_sys::toast_raw_datum_size(value)
    });
    raw.saturating_sub(pg_sys::VARHDRSZ) as i64
}
