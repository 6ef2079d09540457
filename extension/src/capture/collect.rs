//! Gathers the events of one firing and appends them to the log in pieces, so that no statement, however many rows it
//! writes, holds more of them in memory than a piece.

use pgrx::pg_sys::{self, MemoryContext};

use super::batch::Batch;
use super::change::{Change, Old};
use super::lists::Lists;
use super::mapping::Mapping;
use super::memory::{Memory, within};
use super::row::Operation;
use super::tenant::Tenant;
use super::upsert::{self, Stored};
use crate::outbox::{self, Event};
use crate::reserve;

/// Events appended to the log at once, and the bytes of their data.
const EVENTS: usize = 1000;
const BYTES: usize = 1024 * 1024;

/// The events of one firing, until they are appended.
pub struct Collector<'m> {
    mapping: &'m Mapping,
    /// True when each row makes an event.
    single: bool,
    /// The batch event that the rows are counted for.
    batch: Option<&'m Batch>,
    session: Tenant,
    pending: Vec<Event>,
    bytes: usize,
    stored: Stored,
    /// The context of the statement.
    statement: MemoryContext,
    lists: Lists,
    /// From the second row on; one row needs none.
    memory: Option<Memories>,
    rows: u64,
}

struct Memories {
    /// For the values that are needed while one row is looked at.
    row: Memory,
    /// The values of the pending events.
    pending: Memory,
}

impl<'m> Collector<'m> {
    pub fn new(
        mapping: &'m Mapping,
        single: bool,
        batch: Option<&'m Batch>,
        statement: MemoryContext,
    ) -> Self {
        Self {
            mapping,
            single,
            batch,
            session: Tenant::of_session(),
            pending: Vec::new(),
            bytes: 0,
            stored: Stored::new(),
            statement,
            lists: Lists::default(),
            memory: None,
            rows: 0,
        }
    }

    /// Looks at one row. Raises 53200 when there is no memory for it, and heeds a cancel.
    ///
    /// # Safety
    /// The row has the columns of the mapping.
    pub unsafe fn add(&mut self, change: Change) {
        pgrx::check_for_interrupts!();
        reserve::check();
        self.rows += 1;
        if self.rows == 2 {
            self.memory = Some(Memories {
                row: Memory::new(c"zerodb row"),
                pending: Memory::new(c"zerodb pending events"),
            });
        }
        let contexts = self
            .memory
            .as_ref()
            .map(|memory| (memory.row.context(), memory.pending.context()));
        // SAFETY: what is kept of a row lies in the context of the pending events, which `flush` empties when it has
        // none; that of the row is emptied when the row has been looked at. The first row uses the caller's context for
        // both, which lives as long as the firing.
        unsafe {
            match contexts {
                Some((row, pending)) => within(row, || self.look(&change, pending)),
                None => self.look(&change, pg_sys::CurrentMemoryContext),
            }
            if self.lists.is_full() {
                self.give_lists();
            }
            if self.pending.len() >= EVENTS || self.bytes >= BYTES {
                self.flush(&self.mapping.event);
            } else if let Some(memory) = &self.memory {
                memory.row.reset();
            }
        }
        if let Old::Moved(half) = change.old {
            half.free();
        }
    }

    /// # Safety
    /// The same as of `add`; the context lives as long as the pending events.
    unsafe fn look(&mut self, change: &Change, context: MemoryContext) {
        if change.operation == Operation::Update && !self.mapping.is_changed(change) {
            return;
        }
        let tenant = self.mapping.tenant(&change.row, &self.session);
        if self.batch.is_some() && change.operation != Operation::Delete {
            *self.stored.entry(tenant).or_default() += 1;
        }
        // SAFETY: handed on from the caller.
        if self.single && !unsafe { self.lists.add(self.mapping, &change.row, tenant) } {
            // SAFETY: handed on from the caller.
            let event = unsafe { self.mapping.event(&change.row, tenant, context) };
            self.bytes += event.size();
            self.pending.push(event);
        }
    }

    /// Appends the pending events, which are of one type.
    fn flush(&mut self, event_type: &[u8]) {
        let (root, pending) = (self.mapping.root, &self.pending);
        // SAFETY: the events' values live until both contexts are emptied, after the last use of them.
        unsafe {
            match &self.memory {
                Some(memory) => {
                    within(memory.row.context(), || outbox::append(event_type, root, pending));
                    memory.row.reset();
                    memory.pending.reset();
                }
                None => _ = outbox::append(event_type, root, pending),
            }
        }
        self.pending.clear();
        self.bytes = 0;
    }

    /// Makes the events of what was listed.
    fn give_lists(&mut self) {
        let memory = self.memory.as_ref().map(|memory| memory.pending.context());
        // SAFETY: as in `add`.
        let events = unsafe { self.lists.take(memory.unwrap_or(pg_sys::CurrentMemoryContext)) };
        self.bytes += events.iter().map(Event::size).sum::<usize>();
        self.pending.extend(events);
    }

    /// Appends the rest, and one event for each tenant of a batch of more than one row. The rows that an upsert has
    /// updated are counted with those that it inserts.
    pub fn finish(mut self, is_update: bool) {
        self.give_lists();
        self.flush(&self.mapping.event);
        if self.batch.is_some() && is_update {
            if !self.stored.is_empty() {
                // SAFETY: handed on from whoever made the collector.
                unsafe { upsert::note(self.statement, self.mapping, self.stored) }
            }
            return;
        }
        if self.batch.is_some() {
            for (tenant, count) in upsert::take(self.statement, self.mapping) {
                *self.stored.entry(tenant).or_default() += count;
            }
        }
        let Some(batch) = self.batch.filter(|_| self.stored.values().sum::<u64>() > 1) else {
            return;
        };
        for (tenant, count) in std::mem::take(&mut self.stored) {
            pgrx::check_for_interrupts!();
            // SAFETY: as in `add`.
            let event = unsafe {
                let memory = self.memory.as_ref().map(|memory| memory.pending.context());
                batch.event(&tenant, count, memory.unwrap_or(pg_sys::CurrentMemoryContext))
            };
            self.pending.push(event);
            if self.pending.len() >= EVENTS {
                self.flush(&batch.event);
            }
        }
        self.flush(&batch.event);
    }
}
