//! The states of a delivery, and how an attempt can end, as SQL has them.

words! {
    /// The state of a delivery: `zerodb.delivery_state`.
    pub enum DeliveryState {
        /// Waits for its first attempt.
        Pending = "pending",
        /// Leased to a worker.
        Running = "running",
        /// Failed, waits for its next attempt.
        Retryable = "retryable",
        /// The handler succeeded.
        Completed = "completed",
        /// Given up: after the last attempt, for a permanent error, or by hand.
        Discarded = "discarded",
        /// The hook was deleted.
        Cancelled = "cancelled",
    }
}

words! {
    /// How an attempt ended: `zerodb.attempt.outcome`.
    pub enum AttemptOutcome {
        Completed = "completed",
        /// It is tried again.
        Failed = "failed",
        Discarded = "discarded",
    }
}
