//! The waits between attempts. Pure functions of the hook's policy, the attempt and a random number.

use std::time::Duration;

use zerodb_hooks_contract::hooks::{MAX_ATTEMPTS, RETRY_DELAY_MS};
use zerodb_hooks_contract::{HookSettings, HookType};

/// The longest wait between two attempts.
const LONGEST: Duration = Duration::from_secs(3600);
/// The longest wait that a receiver may ask for with Retry-After.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3600);
/// Share by which a wait is spread, to both sides.
const JITTER: f64 = 0.2;

/// A wait that doubles with each try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait.
    pub base: Duration,
    pub longest: Duration,
}

impl Backoff {
    /// The wait after so many doublings: base · 2^doublings, at most `longest`.
    pub fn wait(self, doublings: u32) -> Duration {
        self.base.saturating_mul(1 << doublings.min(30)).min(self.longest)
    }

    /// The same wait, spread by ±20 %. `random` is uniform in 0..1.
    pub fn spread(self, doublings: u32, random: f64) -> Duration {
        let share = 1.0 - JITTER + 2.0 * JITTER * random.clamp(0.0, 1.0);
        self.wait(doublings).mul_f64(share)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub max_attempts: i32,
    /// Wait before the second attempt; it doubles from there.
    pub base: Duration,
    /// Deadline of one attempt.
    pub timeout: Duration,
}

impl Policy {
    /// As a hook's config says. Where it does not, or cannot be read: as its type says.
    pub fn of(hook_type: &HookType, settings: Option<&HookSettings>) -> Self {
        let attempts = settings.map_or(MAX_ATTEMPTS, HookSettings::max_attempts);
        let timeout_ms = settings.map_or(hook_type.timeout_ms(), |it| it.timeout_ms(hook_type));
        let retry_delay_ms = settings.map_or(RETRY_DELAY_MS, |it| it.config.retry_delay_ms());
        Self {
            max_attempts: i32::try_from(attempts).unwrap_or(i32::MAX),
            base: Duration::from_millis(retry_delay_ms),
            timeout: Duration::from_millis(timeout_ms.into()),
        }
    }

    pub fn is_last(&self, attempt: i32) -> bool {
        attempt >= self.max_attempts
    }

    /// base · 2^(attempt − 1), at most an hour, spread by ±20 %. `random` is uniform in 0..1.
    pub fn backoff(&self, attempt: i32, random: f64) -> Duration {
        let backoff = Backoff {
            base: self.base,
            longest: LONGEST,
        };
        let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(0);
        backoff.spread(doublings, random)
    }

    /// The wait that a receiver asked for, but never less than the backoff and never more than a day.
    pub fn heed(&self, asked: Duration, backoff: Duration) -> Duration {
        asked.clamp(backoff, LONGEST_ASKED.max(backoff))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn policy(config: &Value) -> Policy {
        let settings = HookSettings::read(&HookType::Webhook, config).unwrap();
        Policy::of(&HookType::Webhook, Some(&settings))
    }

    #[test]
    fn a_webhook_has_two_retries_by_default() {
        assert_eq!(policy(&json!({"url": "u"})).max_attempts, 3);
        assert_eq!(policy(&json!({"url": "u", "retry_count": 0})).max_attempts, 1);
    }

    #[test]
    fn the_wait_doubles_and_stays_within_its_bounds() {
        let policy = policy(&json!({"url": "u", "retry_delay_ms": 100}));
        assert_eq!(policy.backoff(1, 0.5), Duration::from_millis(100));
        assert_eq!(policy.backoff(3, 0.5), Duration::from_millis(400));
        assert_eq!(policy.backoff(1, 0.0), Duration::from_millis(80));
        assert_eq!(policy.backoff(100, 1.0), LONGEST.mul_f64(1.2));
    }

    #[test]
    fn a_receiver_may_ask_for_more_but_not_for_less() {
        let policy = policy(&json!({"url": "u"}));
        let backoff = Duration::from_secs(2);
        assert_eq!(
            policy.heed(Duration::from_secs(30), backoff),
            Duration::from_secs(30)
        );
        assert_eq!(policy.heed(Duration::ZERO, backoff), backoff);
        assert_eq!(policy.heed(Duration::from_secs(1 << 40), backoff), LONGEST_ASKED);
    }
}
