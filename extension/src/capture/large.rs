//! Events above `zerodb.max_event_size`. A hook never makes a write fail, so such an event is recorded without its
//! largest fields: they are null, and `_truncated` lists their names. Must not be on the way of an ordinary event.

use pgrx::pg_sys::Datum;

use super::fields::Field;
use super::memory::{Memory, Text, within};
use super::row::Row;
use super::tenant::Tenant;

const NULL: &[u8] = b"null";

/// The data of an event that is too large, in `text`, which is empty. Each field is measured first, alone and in memory
/// that is given back, so that no row needs more of it than its largest value and twice the limit.
pub fn data(fields: &[Field], row: &Row, tenant: &Tenant, mut text: Text, limit: usize) -> Datum {
    let memory = Memory::new(c"zerodb field of a large event");
    let mut lengths: Vec<_> = fields
        .iter()
        .map(|field| length(field, row, tenant, limit, &memory))
        .collect();
    shrink(fields, &mut lengths, limit);
    let mut truncated = Vec::new();
    text.push(b'{');
    for (field, length) in fields.iter().zip(lengths) {
        pgrx::check_for_interrupts!();
        text.extend(&field.label);
        let before = text.len();
        // SAFETY: the text lies in another context than the one that is emptied; nothing else is kept of the rendering.
        let is_whole = length.is_some()
            && unsafe {
                let is_whole = within(memory.context(), || field.render(row, tenant, &mut text, limit));
                memory.reset();
                is_whole
            };
        if !is_whole {
            text.truncate(before);
            text.extend(NULL);
            truncated.push(field.name.as_str());
        }
        text.push(b',');
    }
    text.extend(b"\"_truncated\":");
    text.extend(serde_json::Value::from(truncated).to_string().as_bytes());
    text.push(b'}');
    text.into_datum()
}

/// The bytes of a field's JSON, or `None` when it alone is too large.
fn length(field: &Field, row: &Row, tenant: &Tenant, limit: usize, memory: &Memory) -> Option<usize> {
    pgrx::check_for_interrupts!();
    // SAFETY: the text is made in the memory and not used after it is emptied.
    unsafe {
        let mut text = Text::new(memory.context());
        let is_whole = within(memory.context(), || field.render(row, tenant, &mut text, limit));
        let length = text.len();
        memory.reset();
        is_whole.then_some(length)
    }
}

/// Leaves out the largest fields until the whole fits, or until nothing more is won.
fn shrink(fields: &[Field], lengths: &mut [Option<usize>], limit: usize) {
    let size = |field: &Field, length: Option<usize>| match length {
        Some(length) => field.label.len() + length + 1,
        None => field.label.len() + NULL.len() + 1 + field.label.len(),
    };
    let mut total = fields
        .iter()
        .zip(lengths.iter())
        .map(|(field, length)| size(field, *length))
        .sum::<usize>()
        + 20;
    while total > limit {
        let largest = lengths.iter().enumerate().max_by_key(|(_, length)| **length);
        let Some((at, Some(length))) = largest.map(|(at, length)| (at, *length)) else {
            return;
        };
        let smaller = size(&fields[at], None);
        let larger = size(&fields[at], Some(length));
        if smaller >= larger {
            return;
        }
        lengths[at] = None;
        total -= larger - smaller;
    }
}
