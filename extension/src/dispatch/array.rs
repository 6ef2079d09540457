//! Arrays of one dimension as Postgres has them. Must not know what they hold.

use std::ptr::null_mut;

use pgrx::pg_sys::{self, Datum};

/// The type of an array's elements, and how Postgres stores them.
#[derive(Debug, Clone, Copy)]
pub struct Element {
    oid: pg_sys::Oid,
    length: i32,
    by_value: bool,
    align: u8,
}

const fn by_value(oid: pg_sys::Oid, length: i32, align: u8) -> Element {
    Element {
        oid,
        length,
        by_value: true,
        align,
    }
}

pub const INT2: Element = by_value(pg_sys::INT2OID, 2, pg_sys::TYPALIGN_SHORT);
pub const INT4: Element = by_value(pg_sys::INT4OID, 4, pg_sys::TYPALIGN_INT);
pub const INT8: Element = by_value(pg_sys::INT8OID, 8, pg_sys::TYPALIGN_DOUBLE);
pub const XID8: Element = by_value(pg_sys::XID8OID, 8, pg_sys::TYPALIGN_DOUBLE);
pub const TIMESTAMPTZ: Element = by_value(pg_sys::TIMESTAMPTZOID, 8, pg_sys::TYPALIGN_DOUBLE);
pub const UUID: Element = Element {
    oid: pg_sys::UUIDOID,
    length: 16,
    by_value: false,
    align: pg_sys::TYPALIGN_CHAR,
};
pub const TEXT: Element = Element {
    oid: pg_sys::TEXTOID,
    length: -1,
    by_value: false,
    align: pg_sys::TYPALIGN_INT,
};

/// An array in the current context.
///
/// # Safety
/// The values are of the element's type, and live until it returns.
pub unsafe fn array(element: Element, values: impl IntoIterator<Item = Option<Datum>>) -> Option<Datum> {
    let (mut elements, mut nulls): (Vec<Datum>, Vec<bool>) = values
        .into_iter()
        .map(|value| (value.unwrap_or(Datum::null()), value.is_none()))
        .unzip();
    let (mut size, mut bound) = (elements.len() as i32, 1);
    // SAFETY: both vectors have as many entries as the size says; all is copied.
    unsafe {
        let made = pg_sys::construct_md_array(
            elements.as_mut_ptr(),
            nulls.as_mut_ptr(),
            1,
            &raw mut size,
            &raw mut bound,
            element.oid,
            element.length,
            element.by_value,
            element.align as std::ffi::c_char,
        );
        Some(Datum::from(made))
    }
}

/// The elements of an array of UUIDs; nulls are left out.
///
/// # Safety
/// A `uuid[]` that is not null.
pub unsafe fn uuids(value: Datum) -> Vec<[u8; 16]> {
    // SAFETY: the function makes the arrays that it is given pointers for, of as many entries as it counts; each is a
    // pointer to the bytes of a UUID.
    unsafe {
        let (mut elements, mut nulls, mut count) = (null_mut(), null_mut(), 0);
        pg_sys::deconstruct_array(
            pg_sys::pg_detoast_datum(value.cast_mut_ptr()).cast(),
            UUID.oid,
            UUID.length,
            UUID.by_value,
            UUID.align as std::ffi::c_char,
            &raw mut elements,
            &raw mut nulls,
            &raw mut count,
        );
        (0..usize::try_from(count).unwrap_or(0))
            .filter(|at| !*nulls.add(*at))
            .map(|at| *(*elements.add(at)).cast_mut_ptr::<[u8; 16]>())
            .collect()
    }
}
