//! One round of a handler's work on a row. A row that changes meanwhile gets another one.

#[derive(Debug, PartialEq, Eq)]
pub enum Round {
    Done,
    /// The row changed while it was worked on; nothing was written.
    Changed,
}
