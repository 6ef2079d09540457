//! Runs deliveries that were in flight at two crashes, with nothing beside them, and so rarely that the others have
//! at least as much time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::claiming::Claiming;
use crate::source::DeliverySource;
use zerodb_hooks_store::StoreError;

/// Time between two looks for them while there are none.
const EVERY: Duration = Duration::from_secs(1);
/// Wait for deliveries in flight to end before suspects run. One that takes longer goes on beside them, for nobody
/// may make the others wait for an hour; should it be lost with them, it runs alone itself.
const EMPTYING: Duration = Duration::from_secs(5);
/// Time for which nothing is begun beside them: the longest deadline that a hook has by default, and a little. Each
/// of them has its own.
const ALONE: Duration = Duration::from_secs(125);

/// Runs suspects.
pub struct Suspects<S> {
    pub claiming: Arc<Claiming<S>>,
    pub stop: CancellationToken,
    pub times: SuspectTimes,
}

impl<S: DeliverySource> Suspects<S> {
    /// Runs some, a few at a time or alone, if it is time and there are any. Returns when they have ended: the caller
    /// begins nothing meanwhile.
    ///
    /// # Errors
    /// Those of claiming them.
    pub async fn run_due(&mut self) -> Result<(), StoreError> {
        let began = Instant::now();
        if !self.times.are_due(began) {
            return Ok(());
        }
        let ran = self.run().await;
        let any = matches!(ran, Ok(count) if count > 0);
        self.times.ended(any, began, Instant::now());
        ran.map(|_count| ())
    }

    async fn run(&self) -> Result<usize, StoreError> {
        if !self.claiming.source.has_suspects().await? {
            return Ok(0);
        }
        self.wait_until_empty().await;
        if self.stop.is_cancelled() {
            return Ok(0);
        }
        let (alone, mut ended) = mpsc::channel(1);
        let count = self.claiming.claim_suspects(alone).await?;
        tokio::select! {
            _all = ended.recv() => {}
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(ALONE) => {}
        }
        Ok(count)
    }

    /// Waits until nothing is in flight, at most `EMPTYING`, or until the worker stops.
    async fn wait_until_empty(&self) {
        let until = tokio::time::Instant::now() + EMPTYING;
        let capacity = &self.claiming.capacity;
        while capacity.in_flight() > 0 {
            tokio::select! {
                () = capacity.freed() => {}
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep_until(until) => return,
            }
        }
    }
}

/// The time at which suspects may run next. Pure.
#[derive(Default)]
pub struct SuspectTimes {
    next: Option<Instant>,
}

impl SuspectTimes {
    fn are_due(&self, now: Instant) -> bool {
        self.next.is_none_or(|next| now >= next)
    }

    /// Some ran from `began` to `now`, or none was there.
    fn ended(&mut self, ran: bool, began: Instant, now: Instant) {
        let took = now.saturating_duration_since(began);
        self.next = Some(now + if ran { took } else { took.max(EVERY) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_others_have_as_much_time_as_suspects_took() {
        let (mut times, start) = (SuspectTimes::default(), Instant::now());
        assert!(times.are_due(start));
        let after = |seconds| start + Duration::from_secs(seconds);
        times.ended(true, start, after(30));
        assert!(!times.are_due(after(59)));
        assert!(times.are_due(after(60)));
        times.ended(true, after(60), after(60));
        assert!(times.are_due(after(60)), "many that are quick follow one another");
        times.ended(false, after(60), after(60));
        assert!(!times.are_due(after(60)));
        assert!(times.are_due(after(61)));
    }
}
