//! Pairs events with the hooks that want them, and decides what becomes of each pair. Must not write.

use std::collections::HashSet;

use pgrx::pg_sys::Datum;

use super::event::Event;
use super::hooks::{Hook, Hooks};
use crate::condition;

/// The longest data, in bytes, for which dispatch itself evaluates a condition or a key.
const LONGEST_DATA: i64 = 4096;

/// What becomes of a pair.
#[derive(Debug, Clone, Copy)]
pub enum Fate {
    /// It is for this worker, if that has room for it.
    Ready,
    /// It waits for others of its key.
    Ordered(Datum),
    /// `judge_candidates.sql` decides whether it matches.
    Undecided,
}

/// An event and a hook that wants it.
pub struct Pair {
    pub id: i64,
    /// Places in the step's events and hooks.
    pub event: usize,
    pub hook: usize,
    pub fate: Fate,
    pub leased: bool,
}

/// What the worker has room for.
pub struct Room {
    pub deliveries: usize,
    pub saturated: HashSet<[u8; 16]>,
}

/// The pairs of all events, and what is known of them together.
#[derive(Default)]
pub struct Pairs {
    pub all: Vec<Pair>,
    pub leased: usize,
}

impl Pairs {
    /// Adds the pairs of one event; `next` gives each its id.
    ///
    /// # Safety
    /// Within a function that Postgres called; the event's and the hooks' values are still there.
    pub unsafe fn add(
        &mut self,
        at: usize,
        event: &Event,
        hooks: &Hooks,
        wanted: impl Iterator<Item = usize>,
        next: impl Fn() -> i64,
    ) {
        let mut data = None;
        for hook in wanted {
            pgrx::check_for_interrupts!();
            // SAFETY: handed on from the caller.
            let fate = unsafe { fate(event, hooks.get(hook), &mut data) };
            if let Some(fate) = fate {
                self.all.push(Pair {
                    id: next(),
                    event: at,
                    hook,
                    fate,
                    leased: false,
                });
            }
        }
    }

    /// Marks what is leased, the oldest first.
    pub fn lease(&mut self, hooks: &Hooks, room: &Room) {
        for pair in &mut self.all {
            if self.leased == room.deliveries {
                break;
            }
            let is_ready = matches!(pair.fate, Fate::Ready);
            if is_ready && !room.saturated.contains(&hooks.get(pair.hook).id) {
                pair.leased = true;
                self.leased += 1;
            }
        }
    }

    pub fn any(&self, is: impl Fn(&Fate) -> bool) -> bool {
        self.all.iter().any(|pair| is(&pair.fate))
    }
}

/// An event's data, as far as dispatch looks at them.
#[derive(Clone, Copy)]
enum Data {
    /// Long, or with an array: what a condition costs over them has no bound.
    Large,
    /// Read as jsonb; `None` where they cannot be.
    Plain(Option<Datum>),
}

impl Data {
    /// # Safety
    /// As for `Pairs::add`.
    unsafe fn of(event: &Event) -> Self {
        // SAFETY: handed on from the caller.
        unsafe {
            match event.data() {
                Some(data) if is_plain(event, data) => Self::Plain(condition::read(data)),
                _ => Self::Large,
            }
        }
    }
}

/// What becomes of an event and a hook; `None` when the hook does not want it. `data` keeps what was read of them: they
/// are read once, however many hooks ask.
///
/// # Safety
/// As for `Pairs::add`.
unsafe fn fate(event: &Event, hook: &Hook, data: &mut Option<Data>) -> Option<Fate> {
    if hook.project.is_some() && hook.project != event.project() {
        return None;
    }
    if !hook.conditional && !hook.ordered {
        return Some(Fate::Ready);
    }
    if !hook.simple {
        return Some(Fate::Undecided);
    }
    // SAFETY: handed on from the caller: jsonb, and the paths of the hook.
    unsafe {
        // In data without an array a path finds one value at most, so what a simple condition or key costs has a bound.
        let Data::Plain(data) = *data.get_or_insert_with(|| Data::of(event)) else {
            return Some(Fate::Undecided);
        };
        if hook.conditional && !condition::is_true(data, hook.predicate) {
            return None;
        }
        Some(match hook.ordered {
            true => Fate::Ordered(condition::order_key(data, hook.order_by)),
            false => Fate::Ready,
        })
    }
}

/// Whether the data are short and have no array.
///
/// # Safety
/// As for `Pairs::add`.
unsafe fn is_plain(event: &Event, data: Datum) -> bool {
    if event.data_bytes() > LONGEST_DATA {
        return false;
    }
    // SAFETY: handed on from the caller; a json has the form of a text.
    unsafe {
        let text = pgrx::pg_sys::pg_detoast_datum_packed(data.cast_mut_ptr());
        let bytes: &[u8] =
            std::slice::from_raw_parts(pgrx::vardata_any(text).cast(), pgrx::varsize_any_exhdr(text));
        !bytes.contains(&b'[')
    }
}
