//! The data of an event: the fields of one row as a JSON object. Must not decide whether there is an event.

use pgrx::pg_sys::{Datum, MemoryContext};

use super::fields::Field;
use super::large;
use super::memory::Text;
use super::row::Row;
use super::tenant::Tenant;
use crate::settings;

/// The event's data as a value of `json` in a context: an object with the fields in their order. One that is larger
/// than `zerodb.max_event_size` loses its largest fields, see `large`.
///
/// # Safety
/// The context lives as long as the value is used.
pub unsafe fn data(fields: &[Field], row: &Row, tenant: &Tenant, context: MemoryContext) -> Datum {
    let limit = settings::max_event_size();
    // SAFETY: handed on from the caller.
    let mut text = unsafe { Text::new(context) };
    text.push(b'{');
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        text.extend(&field.label);
        if !field.render(row, tenant, &mut text, limit) || text.len() >= limit {
            text.truncate(0);
            return large::data(fields, row, tenant, text, limit);
        }
    }
    text.push(b'}');
    text.into_datum()
}
