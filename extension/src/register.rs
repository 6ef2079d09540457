//! Numbers that the extension, the worker and the files of `sql/` have in common. Pure: a contract test includes this
//! very file and holds all of them to it. Must not know what a lock protects.

/// Partitions of the event log, and of the attempts and completions beside it. The number of one is a slot.
pub const LOG_PARTITIONS: usize = 8;

/// "zero" in ASCII, as the class of the locks by name; `pg_locks` shows it as classid, and the number as objid.
pub const LOCK_CLASS: u32 = 0x7a65_726f;

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
}

/// Every lock with the name by which SQL asks for it.
pub const LOCKS: [(&str, Lock); 6] = [
    ("park", Lock::Park),
    ("dispatch", Lock::Dispatch),
    ("lead", Lock::Lead),
    ("bench", Lock::Bench),
    ("release", Lock::Release),
    ("budgets", Lock::Budgets),
];
