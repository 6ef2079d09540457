//! Events that are one for many rows: those of a statement that differ in one field only, which then lists what each of
//! them has there. What is gathered is bounded: a long list goes on in a further event.

use std::collections::BTreeMap;

use pgrx::pg_sys::{self, MemoryContext};

use super::fields::Field;
use super::mapping::Mapping;
use super::memory::Text;
use super::row::Row;
use super::tenant::Tenant;
use crate::outbox::Event;
use crate::settings;

/// Rows of one event.
const ROWS: usize = 1000;
/// Bytes that are gathered before all is given out.
const BYTES: usize = 512 * 1024;

/// All that the rows of one event share: everything but the list.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Frame {
    tenant: Tenant,
    bank: Option<Vec<u8>>,
    /// The JSON before and behind the list.
    before: Vec<u8>,
    behind: Vec<u8>,
}

#[derive(Default)]
struct List {
    /// JSON values with commas between them.
    items: Vec<u8>,
    rows: usize,
}

#[derive(Default)]
pub struct Lists {
    lists: BTreeMap<Frame, List>,
    bytes: usize,
    is_full: bool,
}

impl Lists {
    /// Takes a row. False for one that is too large for a list, which then is an event of its own.
    ///
    /// # Safety
    /// The row has the columns of the mapping.
    pub unsafe fn add(&mut self, mapping: &Mapping, row: &Row, tenant: Tenant) -> bool {
        let Some(fields) = mapping.listed() else {
            return false;
        };
        let render = |fields: &[Field]| Self::render(fields, row, &tenant);
        let parts = (
            render(fields.before),
            render(std::slice::from_ref(fields.list)),
            render(fields.behind),
        );
        let (Some(mut before), Some(item), Some(behind)) = parts else {
            return false;
        };
        let label = &fields.list.label;
        before.extend_from_slice(label);
        let value = &item[label.len()..item.len() - 1];
        let bank = mapping.bank(row);
        let frame = Frame {
            tenant,
            bank,
            before,
            behind,
        };
        let size = frame.before.len() + frame.behind.len() + frame.bank.as_ref().map_or(0, Vec::len);
        let list = self.lists.entry(frame).or_insert_with(|| {
            self.bytes += size;
            List::default()
        });
        if list.rows > 0 {
            list.items.push(b',');
        }
        list.items.extend_from_slice(value);
        list.rows += 1;
        self.bytes += value.len() + 1;
        self.is_full = list.rows >= ROWS || self.bytes >= BYTES;
        true
    }

    /// True when all of it must be given out before another row is taken.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// The events, with their values in a context; nothing is left.
    ///
    /// # Safety
    /// The context lives as long as the events.
    pub unsafe fn take(&mut self, context: MemoryContext) -> Vec<Event> {
        (self.bytes, self.is_full) = (0, false);
        let lists = std::mem::take(&mut self.lists).into_iter();
        // SAFETY: handed on from the caller.
        lists
            .map(|(frame, list)| unsafe { frame.event(&list, context) })
            .collect()
    }

    /// `"name":value,` of each field; `None` where they are too large.
    fn render(fields: &[Field], row: &Row, tenant: &Tenant) -> Option<Vec<u8>> {
        let limit = settings::max_event_size().min(BYTES / 8);
        // SAFETY: the text is copied below, and the current context lives until then.
        let mut text = unsafe { Text::new(pg_sys::CurrentMemoryContext) };
        for field in fields {
            text.extend(&field.label);
            if !field.render(row, tenant, &mut text, limit) || text.len() > limit {
                return None;
            }
            text.push(b',');
        }
        Some(text.bytes().to_vec())
    }
}

impl Frame {
    /// # Safety
    /// The context lives as long as the event.
    unsafe fn event(&self, list: &List, context: MemoryContext) -> Event {
        // SAFETY: handed on from the caller.
        let (mut data, bank) = unsafe {
            let bank = self.bank.as_ref().map(|bank| {
                let mut text = Text::new(context);
                text.extend(bank);
                text.into_datum()
            });
            (Text::new(context), bank)
        };
        for part in [b"{", &self.before[..], b"[", &list.items, b"],", &self.behind] {
            data.extend(part);
        }
        // The last comma.
        data.truncate(data.len() - 1);
        data.push(b'}');
        Event {
            data: data.into_datum(),
            user_id: self.tenant.user_id,
            project_id: self.tenant.project_id,
            bank_id: bank,
        }
    }
}
