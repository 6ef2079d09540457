//! The calls of the database that are timed. It says nothing about when they are made.

/// A call of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseCall {
    /// A look at the log.
    Dispatch,
    /// Taking what is due.
    Claim,
    /// Writing outcomes.
    Settle,
    /// Renewing the lease.
    Renew,
    /// Reading the figures of the database.
    Sample,
}

impl DatabaseCall {
    pub(crate) const ALL: [Self; 5] = [
        Self::Dispatch,
        Self::Claim,
        Self::Settle,
        Self::Renew,
        Self::Sample,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dispatch => "dispatch",
            Self::Claim => "claim",
            Self::Settle => "settle",
            Self::Renew => "renew",
            Self::Sample => "sample",
        }
    }
}
