//! The register of the product's locks that are not those of a row or a table. They have the tag that Postgres keeps
//! for user locks, which no SQL command takes; `pg_locks` shows it as `classid`, `objid` and `objsubid`.

/// `classid` of the locks by name: "zero" in ASCII. Their `objid` is the lock's number.
pub const CLASS: u32 = 0x7a65_726f;

/// Locks by name, of the whole database. Only the worker's role may take them, and a writer `Park` at its commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Held alone by a worker that is parked or parking, shared by writers from just before their commit until after
    /// it.
    Park = 1,
    /// The dispatcher's turn.
    Dispatch = 2,
    /// The worker that parks; as long as its listening connection lives.
    Lead = 3,
    /// One bench at a time.
    Bench = 4,
    /// The turn to release ordered deliveries.
    Release = 5,
    /// The turn to weigh and charge budgets.
    Budgets = 6,
    /// The worker that reads figures for metrics; as long as the connection by which it does.
    Sample = 7,
}

/// Every lock with the name by which SQL takes it.
pub const LOCKS: [(&str, Lock); 7] = [
    ("park", Lock::Park),
    ("dispatch", Lock::Dispatch),
    ("lead", Lock::Lead),
    ("bench", Lock::Bench),
    ("release", Lock::Release),
    ("budgets", Lock::Budgets),
    ("sample", Lock::Sample),
];

impl Lock {
    /// The lock that SQL calls so.
    pub fn named(name: &str) -> Option<Self> {
        let found = LOCKS.iter().find(|(known, _)| *known == name);
        found.map(|(_, lock)| *lock)
    }

    /// `objid`.
    pub const fn number(self) -> u32 {
        self as u32
    }
}

/// What `classid` and `objid` mean: `objsubid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `CLASS` and a `Lock`.
    Named = 1,
    /// The hash of a store's schema.
    Store = 2,
    /// The hash of a graph, a tenant and a key.
    Graph = 3,
}
