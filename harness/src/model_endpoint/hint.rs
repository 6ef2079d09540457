//! What a limiter says of itself.

/// What a 429 says about when to come back. All of them have the body of the hosted API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// All of the following but the date, as the hosted API; a 200 then says what remains.
    Everything,
    /// `Retry-After` in whole seconds, rounded up.
    RetryAfter,
    /// `Retry-After` as an HTTP date, rounded up.
    RetryAfterDate,
    /// `retry-after-ms`.
    RetryAfterMs,
    /// `x-ratelimit-reset-requests`, such as `6m0s`.
    Reset,
    /// "Please try again in 41.7s." in the message.
    Message,
    Nothing,
}
