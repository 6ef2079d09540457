//! What the database and the workers know of the leases and the delivery.

pub const WORKERS: usize = 2;
/// Leases that can be taken, and claims of the delivery; where they are used up, the model ends.
pub const LEASES: usize = 3;
pub const CLAIMS: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lease {
    NotTaken,
    Live,
    Expired,
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivery {
    Due,
    /// Under a lease.
    Running(usize),
    Ended,
}

/// A claim's statement, with its lease, and then with the epoch that it got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dispatcher {
    Idle,
    Sent(usize),
    /// The statement holds its row locks.
    Executing(usize),
    Answered(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Worker {
    pub alive: bool,
    pub lease: usize,
    pub dispatcher: Dispatcher,
}

/// A claim of the delivery; its place in the list is its epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Claim {
    pub worker: usize,
    pub lease: usize,
    pub at: At,
}

/// What the worker does with it; the outcome is whether it completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum At {
    Claimed,
    Handler,
    Finishing(bool),
    Finished(bool),
    /// The worker does not know of it, or no more.
    Over,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub leases: [Lease; LEASES],
    pub workers: [Worker; WORKERS],
    pub delivery: Delivery,
    pub claims: Vec<Claim>,
    /// The lease between `Reap` and `Free`, and whether the reaper's snapshot shows the delivery under it. One reaper
    /// is enough: a second one skips what the first has locked.
    pub reaping: Option<(usize, bool)>,
    pub completions: u8,
    pub late_refused: bool,
    pub stale_accepted: bool,
    pub taken_from_live: bool,
}

impl State {
    pub fn exists(&self, lease: usize) -> bool {
        matches!(self.leases[lease], Lease::Live | Lease::Expired)
    }

    pub fn take_lease(&mut self, worker: usize) -> Option<()> {
        let free = self.leases.iter().position(|lease| *lease == Lease::NotTaken)?;
        self.leases[free] = Lease::Live;
        self.workers[worker].lease = free;
        Some(())
    }

    /// What the worker knew is gone; the server goes on with what it was sent.
    pub fn crash(&mut self) {
        self.workers[0].alive = false;
        for claim in self.claims.iter_mut().filter(|claim| claim.worker == 0) {
            if !matches!(claim.at, At::Finishing(_)) {
                claim.at = At::Over;
            }
        }
    }

    /// Under a lease that nobody will reap, or that is renewed by a worker which does not work at the delivery.
    pub fn is_lost(&self) -> bool {
        let (Delivery::Running(lease), Some(claim)) = (self.delivery, self.claims.last()) else {
            return false;
        };
        let worker = self.workers[claim.worker];
        !self.exists(lease) || claim.at == At::Over && worker.alive && worker.lease == lease
    }
}
