//! The entries that attempts leave in the ledger, `zerodb.attempts`.

/// The entries of the ledger of attempts.
#[derive(Debug, Clone, Copy)]
pub struct LedgerSettings<'a> {
    /// The name of the worker that made the attempts.
    pub worker: &'a str,
    /// Attempts that completed are kept too.
    pub keeps_completed: bool,
}
