//! How many turns there are, and how they are shared out.

/// The bounds of turns that go on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    pub all: usize,
    /// The most of one owner's hooks.
    pub of_owner: usize,
    /// The most of one tenant's hooks that one owner made.
    pub of_tenant: usize,
    /// The last ones, which only an owner gets that has none.
    pub kept: usize,
}

impl Shares {
    /// Whoever comes may have all of them, as long as nobody else waits.
    pub fn open(all: usize) -> Self {
        Self {
            all,
            of_owner: all,
            of_tenant: all,
            kept: 0,
        }
    }
}
