//! The hooks for the types and users of events, read as they are needed. Must not know what becomes of a pair.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use pgrx::pg_sys::Datum;
use pgrx::prelude::*;

use super::array::{INT4, TEXT, UUID, array};
use super::event::Event;
use super::statements::Statements;
use crate::pattern;
use crate::settings::NIL;

/// A hook, as far as the dispatcher has to know it.
pub struct Hook {
    pub id: [u8; 16],
    /// The nil UUID: every user.
    pub user: [u8; 16],
    /// The row's version.
    pub version: i64,
    pub project: Option<[u8; 16]>,
    pub predicate: Option<Datum>,
    pub order_by: Option<Datum>,
    /// It has a "when".
    pub conditional: bool,
    /// It has an "order_by".
    pub ordered: bool,
    /// What either costs has a bound, where the data has no array.
    pub simple: bool,
}

/// The hooks of one user, or of every user, for one type.
struct Group {
    /// Places in `Hooks::all`.
    hooks: std::ops::Range<usize>,
    /// There may be more than were read.
    cut: bool,
}

/// All hooks that have been read in this step.
#[derive(Default)]
pub struct Hooks {
    all: Vec<Hook>,
    groups: Vec<Group>,
    known: HashMap<(Vec<u8>, [u8; 16]), usize>,
}

/// The two groups that are asked for one event.
#[derive(Clone, Copy)]
pub struct Wanted([usize; 2]);

/// A group that is to be read.
struct Missing {
    event_type: Vec<u8>,
    user: [u8; 16],
    group: usize,
}

impl Hooks {
    /// Reads the hooks of these events that are not known yet, at most so many. Those of an event that is behind that
    /// many are left for later.
    ///
    /// # Safety
    /// Within a connection, with an active snapshot.
    pub unsafe fn load(&mut self, statements: &Statements, events: &[Event], most: i64) -> Vec<Wanted> {
        let (wanted, missing) = self.look_up(events);
        // SAFETY: handed on from the caller.
        unsafe { self.read(statements, &missing, most) };
        wanted
    }

    /// The hooks for an event; `None` when not all of them were read.
    pub fn of(&self, wanted: Wanted) -> Option<impl Iterator<Item = usize> + Clone + use<>> {
        let [own, every] = wanted.0.map(|group| &self.groups[group]);
        if own.cut || every.cut {
            return None;
        }
        let own = if wanted.0[0] == wanted.0[1] {
            0..0
        } else {
            own.hooks.clone()
        };
        Some(own.chain(every.hooks.clone()))
    }

    /// Reads all hooks for an event, however many.
    ///
    /// # Safety
    /// As for `load`.
    pub unsafe fn load_all(&mut self, statements: &Statements, event: &Event, wanted: Wanted) {
        let missing: Vec<Missing> = [event.user().unwrap_or(NIL), NIL]
            .into_iter()
            .zip(wanted.0)
            .filter(|(_, group)| self.groups[*group].cut)
            .map(|(user, group)| Missing {
                event_type: event.event_type().to_vec(),
                user,
                group,
            })
            .collect();
        // SAFETY: handed on from the caller.
        unsafe { self.read(statements, &missing, i64::MAX) };
    }

    pub fn get(&self, at: usize) -> &Hook {
        &self.all[at]
    }

    fn look_up(&mut self, events: &[Event]) -> (Vec<Wanted>, Vec<Missing>) {
        let mut missing = Vec::new();
        let mut wanted: Vec<Wanted> = Vec::with_capacity(events.len());
        for (at, event) in events.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| &events[before]);
            let same = before.is_some_and(|before| {
                before.user() == event.user() && before.event_type() == event.event_type()
            });
            wanted.push(match wanted.last() {
                Some(last) if same => *last,
                _ => Wanted(
                    [event.user().unwrap_or(NIL), NIL]
                        .map(|user| self.group(event.event_type(), user, &mut missing)),
                ),
            });
        }
        (wanted, missing)
    }

    /// The group of a user for a type. One that was not known has still to be read.
    fn group(&mut self, event_type: &[u8], user: [u8; 16], missing: &mut Vec<Missing>) -> usize {
        let next = self.groups.len();
        match self.known.entry((event_type.to_vec(), user)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                new.insert(next);
                self.groups.push(Group {
                    hooks: 0..0,
                    cut: true,
                });
                missing.push(Missing {
                    event_type: event_type.to_vec(),
                    user,
                    group: next,
                });
                next
            }
        }
    }

    unsafe fn read(&mut self, statements: &Statements, missing: &[Missing], most: i64) {
        if missing.is_empty() {
            return;
        }
        let probes: Vec<(usize, Vec<u8>)> = missing
            .iter()
            .enumerate()
            .flat_map(|(at, one)| {
                pattern::of(&one.event_type)
                    .into_iter()
                    .map(move |pattern| (at, pattern))
            })
            .collect();
        // SAFETY: the arguments are of the statement's types; the answer has its columns.
        unsafe {
            let rows = statements.load_hooks.run(&[
                array(INT4, probes.iter().map(|(at, _)| Some(Datum::from(*at as i32)))),
                array(
                    TEXT,
                    probes
                        .iter()
                        .map(|(_, pattern)| Some(crate::outbox::text_datum(pattern))),
                ),
                array(
                    UUID,
                    probes
                        .iter()
                        .map(|(at, _)| Some(Datum::from(missing[*at].user.as_ptr()))),
                ),
                most.into_datum(),
            ]);
            let number = |row: usize| rows.value(row, 0).map_or(0, Datum::value);
            // Where there may be more rows than were asked for, those of the last group may not be all.
            let whole = if i64::try_from(rows.len()).is_ok_and(|read| read < most) {
                missing.len()
            } else {
                rows.len().checked_sub(1).map_or(0, number)
            };
            let mut row = 0;
            for (at, one) in missing.iter().enumerate().take(whole) {
                let begin = self.all.len();
                while row < rows.len() && number(row) == at {
                    self.all.push(hook(&rows, row, one.user));
                    row += 1;
                }
                self.groups[one.group] = Group {
                    hooks: begin..self.all.len(),
                    cut: false,
                };
            }
        }
    }
}

/// # Safety
/// A row of `load_hooks.sql`.
unsafe fn hook(rows: &crate::prepared::Rows, row: usize, user: [u8; 16]) -> Hook {
    // SAFETY: handed on from the caller; a UUID is a pointer to its bytes.
    unsafe {
        let uuid = |column| {
            rows.value(row, column)
                .map(|value| *value.cast_mut_ptr::<[u8; 16]>())
        };
        let flag = |column| rows.value(row, column).is_some_and(|value| value.value() != 0);
        Hook {
            id: uuid(1).unwrap_or(NIL),
            user,
            version: rows.value(row, 2).map_or(0, |value| value.value() as i64),
            project: uuid(3),
            predicate: rows.value(row, 4),
            order_by: rows.value(row, 5),
            conditional: flag(6),
            ordered: flag(7),
            simple: flag(8),
        }
    }
}
