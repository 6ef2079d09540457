//! The columns of a watched table as they are now, and whether a descriptor at hand still has them so.

use std::ffi::CStr;

use pgrx::prelude::*;
use pgrx::{PgTupleDesc, pg_sys};

unsafe extern "C-unwind" {
    fn datum_image_eq(a: pg_sys::Datum, b: pg_sys::Datum, by_value: bool, length: std::ffi::c_int) -> bool;
    fn get_partition_parent(relid: pg_sys::Oid, even_if_detached: bool) -> pg_sys::Oid;
}

/// A column whose values can be read and compared.
#[derive(Clone, PartialEq, Eq)]
pub struct Column {
    pub name: Vec<u8>,
    /// From 1.
    pub number: i16,
    pub type_oid: pg_sys::Oid,
    pub by_value: bool,
    /// Bytes; -1 for a varlena.
    pub length: i16,
}

impl Column {
    /// True when the two values are the same byte for byte, once detoasted.
    ///
    /// # Safety
    /// Both are values of this column's type.
    pub unsafe fn is_same(&self, a: pg_sys::Datum, b: pg_sys::Datum) -> bool {
        if self.by_value {
            return a == b;
        }
        // SAFETY: a value by reference has `length` bytes, or those that its header says. What must be fetched or
        // decompressed is left to Postgres, behind a guard: it may raise.
        unsafe {
            match (plain(a, self.length), plain(b, self.length)) {
                (Some(a), Some(b)) => a == b,
                _ => pg_sys::ffi::pg_guard_ffi_boundary(|| {
                    datum_image_eq(a, b, self.by_value, i32::from(self.length))
                }),
            }
        }
    }

    /// The bytes of a value before it is written as JSON, without fetching or decompressing it.
    ///
    /// # Safety
    /// It is a value of this column's type.
    pub unsafe fn size(&self, value: pg_sys::Datum) -> usize {
        if self.by_value || self.length != -1 {
            return usize::try_from(self.length).unwrap_or(0);
        }
        // SAFETY: the value is a varlena, of whatever form.
        unsafe {
            match plain(value, self.length) {
                Some(bytes) => bytes.len(),
                None => pg_sys::toast_raw_datum_size(value),
            }
        }
    }
}

/// The bytes of a value by reference; `None` where it is compressed, stored elsewhere or of an odd length.
///
/// # Safety
/// The value has that length, lives as long as the result is used, and is not changed meanwhile.
unsafe fn plain<'a>(value: pg_sys::Datum, length: i16) -> Option<&'a [u8]> {
    // SAFETY: handed on from the caller; the header says which of the forms a varlena has.
    unsafe {
        if let Ok(length @ 1..) = usize::try_from(length) {
            return Some(std::slice::from_raw_parts(value.cast_mut_ptr::<u8>(), length));
        }
        let varlena = value.cast_mut_ptr::<pg_sys::varlena>();
        let is_plain = length == -1
            && (pgrx::varatt_is_4b_u(varlena)
                || pgrx::varatt_is_1b(varlena) && !pgrx::varatt_is_1b_e(varlena));
        is_plain.then(|| {
            let data = pgrx::vardata_any(varlena).cast::<u8>();
            std::slice::from_raw_parts(data, pgrx::varsize_any_exhdr(varlena))
        })
    }
}

pub struct Table {
    pub relid: pg_sys::Oid,
    pub owner: pg_sys::Oid,
    pub name: String,
    pub is_partitioned: bool,
    /// The partitioned tables that it is a part of, the topmost last.
    pub ancestors: Vec<pg_sys::Oid>,
    pub columns: Vec<Column>,
}

impl Table {
    /// # Safety
    /// The relation is open.
    pub unsafe fn of(relation: pg_sys::Relation) -> Self {
        // SAFETY: the relation is open, and with it its row of pg_class and its descriptor.
        let (description, relid, owner, name, is_partitioned, is_partition) = unsafe {
            let class = &*(*relation).rd_rel;
            (
                PgTupleDesc::from_pg_unchecked((*relation).rd_att),
                (*relation).rd_id,
                class.relowner,
                CStr::from_ptr(class.relname.data.as_ptr())
                    .to_string_lossy()
                    .into_owned(),
                class.relkind as u8 == pg_sys::RELKIND_PARTITIONED_TABLE,
                class.relispartition,
            )
        };
        let columns = description
            .iter()
            .filter(|column| !column.attisdropped)
            .map(|column| Column {
                // SAFETY: a name ends with a zero. Not `name()`, which panics where the name is not UTF-8.
                name: unsafe { CStr::from_ptr(column.attname.data.as_ptr()) }
                    .to_bytes()
                    .to_vec(),
                number: column.attnum,
                type_oid: column.atttypid,
                by_value: column.attbyval,
                length: column.attlen,
            })
            .collect();
        Self {
            relid,
            owner,
            name,
            is_partitioned,
            ancestors: ancestors(relid, is_partition),
            columns,
        }
    }

    /// The column of a name. Warns when there is none.
    pub fn find(&self, name: &str) -> Option<&Column> {
        let found = self.columns.iter().find(|column| column.name == name.as_bytes());
        if found.is_none() {
            ereport!(
                PgLogLevel::WARNING,
                PgSqlErrorCode::ERRCODE_UNDEFINED_COLUMN,
                format!(
                    "watched column \"{name}\" of table \"{}\" does not exist any more",
                    self.name
                ),
                "Its field is null in the events of this table. Call zerodb.watch again with the column's new name."
            );
        }
        found
    }

    /// The topmost partitioned table above a partition, or the table itself.
    pub fn root(&self) -> pg_sys::Oid {
        self.ancestors.last().copied().unwrap_or(self.relid)
    }
}

fn ancestors(mut relid: pg_sys::Oid, is_partition: bool) -> Vec<pg_sys::Oid> {
    let mut found = Vec::new();
    // SAFETY: catalog look-ups; a partition has a parent, and where it has just lost it the guard turns the error into
    // a panic at this side.
    unsafe {
        let mut is_partition = is_partition;
        while is_partition {
            relid = pg_sys::ffi::pg_guard_ffi_boundary(|| get_partition_parent(relid, true));
            found.push(relid);
            is_partition = pg_sys::get_rel_relispartition(relid);
        }
    }
    found
}

/// True when a descriptor has each of the columns at its place and with its type, so that their values in a row of that
/// descriptor are what the columns say.
///
/// # Safety
/// The descriptor is complete and lives through the call.
pub unsafe fn has_columns<'a>(
    description: pg_sys::TupleDesc,
    mut columns: impl Iterator<Item = &'a Column>,
) -> bool {
    // SAFETY: handed on from the caller; nothing is kept.
    let description = unsafe { PgTupleDesc::from_pg_unchecked(description) };
    columns.all(|column| {
        description
            .get(column.number as usize - 1)
            .is_some_and(|found| found.atttypid == column.type_oid && !found.attisdropped)
    })
}
