//! When deliveries that were in flight at two crashes may be run alone: rarely enough that the others have at least as much time.
//! Pure.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::Sender;

/// How often they are looked for while there are none.
const EVERY: Duration = Duration::from_secs(1);
/// How long what is in flight is waited for before they run. What takes longer goes on beside them, for nobody may make the others wait
/// for an hour; should it be lost with them, it runs alone itself.
pub const EMPTYING: Duration = Duration::from_secs(5);
/// How long nothing is begun beside them: the longest deadline that a hook has by default, and a little. Each of them has its own.
pub const ALONE: Duration = Duration::from_secs(125);

/// Held by each delivery that runs alone. When all are dropped, the others go on.
pub type Alone = Sender<Infallible>;

#[derive(Default)]
pub struct Suspects {
    next: Option<Instant>,
}

impl Suspects {
    pub fn are_due(&self, now: Instant) -> bool {
        self.next.is_none_or(|next| now >= next)
    }

    /// Some ran from `began` to `now`, or none was there.
    pub fn ended(&mut self, ran: bool, began: Instant, now: Instant) {
        let took = now.saturating_duration_since(began);
        self.next = Some(now + if ran { took } else { took.max(EVERY) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_others_have_as_much_time_as_suspects_took() {
        let (mut suspects, start) = (Suspects::default(), Instant::now());
        assert!(suspects.are_due(start));
        let after = |seconds| start + Duration::from_secs(seconds);
        suspects.ended(true, start, after(30));
        assert!(!suspects.are_due(after(59)));
        assert!(suspects.are_due(after(60)));
        suspects.ended(true, after(60), after(60));
        assert!(
            suspects.are_due(after(60)),
            "many that are quick follow one another"
        );
        suspects.ended(false, after(60), after(60));
        assert!(!suspects.are_due(after(60)));
        assert!(suspects.are_due(after(61)));
    }
}
