//! Writes what a step has decided: the place of the cursor, batches, deliveries that wait, and candidates. Must not
//! decide.

use std::collections::HashMap;

use pgrx::pg_sys::Datum;
use pgrx::prelude::*;

use super::array::{INT2, INT4, INT8, TEXT, TIMESTAMPTZ, UUID, XID8, array};
use super::event::Event;
use super::hooks::Hooks;
use super::pairs::{Fate, Pair, Pairs};
use super::statements::Statements;

/// What was decided, and of what.
pub struct Decided<'a> {
    pub events: &'a [Event],
    pub hooks: &'a Hooks,
    pub pairs: &'a Pairs,
}

/// Deliveries of one hook whose events are in one partition of the log, in the order of their ids.
pub struct Batch<'a> {
    pub hook: usize,
    slot: i16,
    pairs: Vec<&'a Pair>,
}

impl Batch<'_> {
    /// The least of its deliveries' ids.
    pub fn id(&self) -> i64 {
        self.pairs.first().map_or(0, |pair| pair.id)
    }

    /// Arrays: the ids of its deliveries, and the keys of their events.
    ///
    /// # Safety
    /// Within a function that Postgres called.
    pub unsafe fn arrays(&self, events: &[Event]) -> [Option<Datum>; 3] {
        // SAFETY: the values have the elements' types.
        unsafe { ids_and_keys(&self.pairs, events) }
    }
}

/// # Safety
/// Within a function that Postgres called.
unsafe fn ids_and_keys(pairs: &[&Pair], events: &[Event]) -> [Option<Datum>; 3] {
    // SAFETY: the values have the elements' types.
    unsafe {
        [
            array(INT8, pairs.iter().map(|pair| pair.id.into_datum())),
            array(
                XID8,
                pairs
                    .iter()
                    .map(|pair| Some(Datum::from(events[pair.event].xid()))),
            ),
            array(
                INT4,
                pairs.iter().map(|pair| events[pair.event].ord().into_datum()),
            ),
        ]
    }
}

impl<'a> Decided<'a> {
    /// The leased pairs as batches, in the order of their first deliveries.
    pub fn batches(&self) -> Vec<Batch<'a>> {
        let mut batches: Vec<Batch<'a>> = Vec::new();
        let mut places: HashMap<(usize, i16), usize> = HashMap::new();
        for pair in self.pairs.all.iter().filter(|pair| pair.leased) {
            let slot = self.events[pair.event].slot();
            let at = *places.entry((pair.hook, slot)).or_insert_with(|| {
                batches.push(Batch {
                    hook: pair.hook,
                    slot,
                    pairs: Vec::new(),
                });
                batches.len() - 1
            });
            batches[at].pairs.push(pair);
        }
        batches
    }

    /// Writes batches under a lease.
    ///
    /// # Safety
    /// Within a connection.
    pub unsafe fn lease(&self, statements: &Statements, batches: &[Batch<'_>], lease: i64) {
        if batches.is_empty() {
            return;
        }
        let pairs: Vec<&Pair> = batches
            .iter()
            .flat_map(|batch| batch.pairs.iter().copied())
            .collect();
        let mut tail = 0;
        let places: Vec<(i32, i32)> = batches
            .iter()
            .map(|batch| {
                let head = tail + 1;
                tail += batch.pairs.len() as i32;
                (head, tail)
            })
            .collect();
        let of_hook = |batch: &Batch<'_>| self.hooks.get(batch.hook);
        // SAFETY: the values have the elements' types, and the arguments those of the statement.
        unsafe {
            let [ids, xids, ords] = ids_and_keys(&pairs, self.events);
            statements.lease_batches.run(&[
                ids,
                xids,
                ords,
                lease.into_datum(),
                array(INT4, places.iter().map(|(head, _)| head.into_datum())),
                array(INT4, places.iter().map(|(_, tail)| tail.into_datum())),
                array(UUID, batches.iter().map(|batch| Some(uuid(&of_hook(batch).id)))),
                array(UUID, batches.iter().map(|batch| Some(uuid(&of_hook(batch).user)))),
                array(INT2, batches.iter().map(|batch| batch.slot.into_datum())),
            ]);
        }
    }

    /// Queues the pairs that are not leased: as deliveries, or, undecided, as candidates of the dispatch `seq`.
    ///
    /// # Safety
    /// Within a connection, after the cursor has moved: the trigger of ordered deliveries asks where it is.
    pub unsafe fn queue(&self, statements: &Statements, seq: i64) {
        let is_undecided = |pair: &&Pair| matches!(pair.fate, Fate::Undecided);
        let (undecided, waiting): (Vec<&Pair>, Vec<&Pair>) = self
            .pairs
            .all
            .iter()
            .filter(|pair| !pair.leased)
            .partition(is_undecided);
        // SAFETY: the values have the elements' types, and the arguments those of the statements.
        unsafe {
            if !waiting.is_empty() {
                let keys = waiting.iter().map(|pair| match pair.fate {
                    Fate::Ordered(key) => Some(key),
                    Fate::Ready | Fate::Undecided => None,
                });
                let [ids, xids, ords, slots, hooks, users] = self.columns(&waiting);
                let keys = array(TEXT, keys);
                statements
                    .queue_deliveries
                    .run(&[ids, xids, ords, slots, hooks, users, keys]);
            }
            if !undecided.is_empty() {
                let written = undecided.iter().map(|pair| self.events[pair.event].created_at());
                let [ids, xids, ords, slots, hooks, users] = self.columns(&undecided);
                let written = array(TIMESTAMPTZ, written);
                let arguments = [ids, xids, ords, slots, hooks, users, written, seq.into_datum()];
                statements.queue_candidates.run(&arguments);
            }
        }
    }

    /// # Safety
    /// Within a connection.
    unsafe fn columns(&self, pairs: &[&Pair]) -> [Option<Datum>; 6] {
        // SAFETY: the values have the elements' types.
        unsafe {
            let [ids, xids, ords] = ids_and_keys(pairs, self.events);
            let of_hook = |pair: &Pair| self.hooks.get(pair.hook);
            [
                ids,
                xids,
                ords,
                array(
                    INT2,
                    pairs
                        .iter()
                        .map(|pair| self.events[pair.event].slot().into_datum()),
                ),
                array(UUID, pairs.iter().map(|pair| Some(uuid(&of_hook(pair).id)))),
                array(UUID, pairs.iter().map(|pair| Some(uuid(&of_hook(pair).user)))),
            ]
        }
    }
}

/// A datum that points to the bytes.
pub fn uuid(id: &[u8; 16]) -> Datum {
    Datum::from(id.as_ptr())
}
