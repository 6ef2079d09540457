//! What the writers and the workers are at, and what they have done.

/// What a writer does about the park lock before its commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    Shares,
    Notifies,
    /// Neither; only in broken variants.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Writer {
    Open,
    Decided(Decision),
    Committed(Decision),
    Ended { committed: bool },
}

impl Writer {
    pub fn shares(self) -> bool {
        matches!(
            self,
            Self::Decided(Decision::Shares) | Self::Committed(Decision::Shares)
        )
    }

    pub fn is_committed(self) -> bool {
        matches!(self, Self::Committed(_) | Self::Ended { committed: true })
    }
}

/// Which look of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Look {
    First,
    Again,
    AfterParking,
}

/// Where the worker's dispatcher is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum At {
    Look(Look),
    /// In the dispatcher's transaction: the events read, and the rest of the window that is open after it.
    Reading {
        look: Look,
        events: u8,
        window: Option<u8>,
        outcome: Outcome,
    },
    Unpark,
    Park,
    WaitForLock,
    Asleep,
    Dead,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    Some,
    Nothing,
    /// Found nothing, and cannot say that there is nothing.
    Unsure,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Worker {
    pub at: At,
    pub listens: bool,
    pub leads: bool,
    pub parked: bool,
    /// A wake-up waits in the listener's channel.
    pub woken: bool,
}

impl Worker {
    pub fn new(at: At) -> Self {
        Self {
            at,
            listens: false,
            leads: false,
            parked: false,
            woken: false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub writers: Vec<Writer>,
    pub workers: Vec<Worker>,
    /// Sets of events, a bit for each writer. `None` when the cursor's window is read to its end.
    pub window: Option<u8>,
    pub dispatched: u8,
}

impl State {
    pub fn committed(&self) -> u8 {
        let bit = |(number, writer): (usize, &Writer)| u8::from(writer.is_committed()) << number;
        self.writers.iter().enumerate().map(bit).sum()
    }

    pub fn is_led(&self) -> bool {
        self.workers.iter().any(|worker| worker.leads)
    }

    /// No worker will look, whatever becomes of what is under way.
    pub fn all_sleep(&self) -> bool {
        let sleeps = |worker: &Worker| match worker.at {
            At::Dead => true,
            At::Asleep => !worker.woken && self.is_led(),
            _ => false,
        };
        let notifies = |writer: &Writer| *writer == Writer::Committed(Decision::Notifies);
        self.workers.iter().all(sleeps) && !self.writers.iter().any(notifies)
    }
}
