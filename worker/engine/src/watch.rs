//! What runs on threads that may be blocked: there a deadline cannot end an attempt, so it is kept from here. Whoever takes
//! an attempt out of its cell writes its outcome, so there is only one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::attempting::Attempting;

/// How often deadlines are looked at.
pub const EVERY: Duration = Duration::from_millis(500);

/// An attempt until its outcome is taken for writing.
pub struct Cell(Mutex<Option<Attempting>>);

impl Cell {
    pub fn new(attempting: Attempting) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(attempting))))
    }

    /// The attempt, for the first who asks.
    pub fn take(&self) -> Option<Attempting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn is_taken(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

/// The attempts that are watched. Those that have ended are forgotten at the next look, so that an end touches its own cell
/// only.
#[derive(Default)]
pub struct Watch(Mutex<Vec<(Instant, Arc<Cell>)>>);

impl Watch {
    /// Attempts, each with the time at which it is given up.
    pub fn insert(&self, attempts: impl Iterator<Item = (Instant, Arc<Cell>)>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(attempts);
    }

    /// The attempts whose time is over.
    pub fn take_overdue(&self) -> Vec<Attempting> {
        let now = Instant::now();
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        watched.retain(|(_, cell)| !cell.is_taken());
        watched
            .iter()
            .filter(|(until, _)| *until <= now)
            .filter_map(|(_, cell)| cell.take())
            .collect()
    }
}
