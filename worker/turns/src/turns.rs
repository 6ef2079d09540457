//! Giving turns: at once while there are free ones, else to whoever holds the fewest. No I/O.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use uuid::Uuid;

use crate::shares::Shares;
use zerodb_hooks_delivery::hook::{Hook, Party, Principal};

/// Turns of one handler or of one model's endpoint. Where there is no bound (`None`) they cost nothing.
#[derive(Clone)]
pub struct Turns(Option<Arc<Bounded>>);

struct Bounded {
    shares: Shares,
    state: Mutex<TurnCounts>,
}

#[derive(Default)]
struct TurnCounts {
    held: usize,
    by_owner: HashMap<Option<Arc<str>>, usize>,
    by_tenant: HashMap<Party, usize>,
    by_hook: HashMap<Uuid, usize>,
    waiting: VecDeque<(Principal, oneshot::Sender<Turn>)>,
}

/// The right to run. It is given back when it is dropped.
pub struct Turn(Option<(Arc<Bounded>, Principal)>);

impl Turns {
    pub fn new(shares: Shares) -> Self {
        let bounded = shares.all < usize::MAX;
        Self(bounded.then(|| {
            Arc::new(Bounded {
                shares: Shares {
                    all: shares.all.max(1),
                    ..shares
                },
                state: Mutex::default(),
            })
        }))
    }

    /// A turn, if there is one for this hook now.
    pub fn try_take(&self, hook: &Hook) -> Option<Turn> {
        let Some(shared) = &self.0 else {
            return Some(Turn(None));
        };
        let mut state = shared.state.lock();
        shared.try_take(&mut state, &hook.principal(None))
    }

    /// Waits for a turn. Safe to cancel.
    pub async fn take(&self, hook: &Hook) -> Option<Turn> {
        self.take_for(&hook.principal(None)).await
    }

    /// The same for anybody.
    pub async fn take_for(&self, who: &Principal) -> Option<Turn> {
        let Some(shared) = &self.0 else {
            return Some(Turn(None));
        };
        let given = {
            let mut state = shared.state.lock();
            if let Some(turn) = shared.try_take(&mut state, who) {
                return Some(turn);
            }
            let (give, given) = oneshot::channel();
            state.waiting.push_back((who.clone(), give));
            given
        };
        given.await.ok()
    }
}

impl Bounded {
    fn try_take(self: &Arc<Self>, state: &mut TurnCounts, who: &Principal) -> Option<Turn> {
        self.is_free_for(state, who).then(|| {
            state.held += 1;
            *state.by_owner.entry(who.party.owner.clone()).or_default() += 1;
            *state.by_tenant.entry(who.party.clone()).or_default() += 1;
            *state.by_hook.entry(who.hook).or_default() += 1;
            Turn(Some((Arc::clone(self), who.clone())))
        })
    }

    fn is_free_for(&self, state: &TurnCounts, who: &Principal) -> bool {
        let free = self.shares.all.saturating_sub(state.held);
        let held = state.held_by(who);
        let others_first = held.of_owner > 0 && free <= self.shares.kept;
        free > 0
            && !others_first
            && (held.of_owner < self.shares.of_owner.max(1))
            && (held.of_tenant < self.shares.of_tenant.max(1))
    }

    /// Gives free turns to those who wait, the one first that holds the fewest.
    fn give(self: &Arc<Self>) {
        loop {
            let (turn, to) = {
                let mut state = self.state.lock();
                state.waiting.retain(|(_, to)| !to.is_closed());
                let next = (0..state.waiting.len())
                    .filter(|at| self.is_free_for(&state, &state.waiting[*at].0))
                    .min_by_key(|at| state.held_by(&state.waiting[*at].0));
                let Some((who, to)) = next.and_then(|at| state.waiting.remove(at)) else {
                    return;
                };
                let Some(turn) = self.try_take(&mut state, &who) else {
                    return;
                };
                (turn, to)
            };
            // One that is not wanted any more comes back, outside of the lock.
            drop(to.send(turn));
        }
    }
}

/// Turns that somebody's owner, tenant and hook hold. Who holds fewer comes first, in the order of the fields.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct HeldTurns {
    of_owner: usize,
    of_tenant: usize,
    of_hook: usize,
}

impl TurnCounts {
    fn held_by(&self, who: &Principal) -> HeldTurns {
        HeldTurns {
            of_owner: self.by_owner.get(&who.party.owner).copied().unwrap_or(0),
            of_tenant: self.by_tenant.get(&who.party).copied().unwrap_or(0),
            of_hook: self.by_hook.get(&who.hook).copied().unwrap_or(0),
        }
    }

    fn free(&mut self, who: &Principal) {
        self.held = self.held.saturating_sub(1);
        lower(&mut self.by_owner, &who.party.owner);
        lower(&mut self.by_tenant, &who.party);
        lower(&mut self.by_hook, &who.hook);
    }
}

/// Counts one less, and forgets who has none.
fn lower<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some((shared, who)) = self.0.take() {
            shared.state.lock().free(&who);
            shared.give();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use serde_json::Value;

    use super::*;

    /// A hook of this user that this role made.
    fn hook_of(owner: &str, user: u128) -> Hook {
        let hook = Hook::new(
            Uuid::new_v4(),
            1,
            Uuid::from_u128(user),
            "sql",
            "h".into(),
            &Value::Null,
        );
        Hook {
            owner: Some(owner.into()),
            ..hook
        }
    }

    const FUNCTIONS: Shares = Shares {
        all: 8,
        of_owner: 4,
        of_tenant: 2,
        kept: 2,
    };

    #[test]
    fn a_role_leaves_turns_to_others_whatever_tenants_it_acts_for() {
        let turns = Turns::new(FUNCTIONS);
        let held: Vec<_> = (1..=9)
            .flat_map(|user| [hook_of("mallory", user), hook_of("mallory", user)])
            .filter_map(|hook| turns.try_take(&hook))
            .collect();
        assert_eq!(held.len(), 4);
        assert!(turns.try_take(&hook_of("victim", 99)).is_some());
    }

    #[test]
    fn the_last_turns_are_for_who_has_none() {
        let turns = Turns::new(FUNCTIONS);
        let mut held = Vec::new();
        for owner in ["a", "b", "c", "d"] {
            held.extend((1..=9).filter_map(|user| turns.try_take(&hook_of(owner, user))));
        }
        assert_eq!(held.len(), 8, "four, two, one and one");
        held.truncate(7);
        assert!(turns.try_take(&hook_of("a", 1)).is_none());
        assert!(turns.try_take(&hook_of("e", 1)).is_some());
    }

    #[test]
    fn a_tenant_has_as_many_as_are_its_share() {
        let turns = Turns::new(FUNCTIONS);
        let hook = hook_of("app", 1);
        let _held = (turns.try_take(&hook), turns.try_take(&hook));
        assert!(turns.try_take(&hook).is_none());
        assert!(turns.try_take(&hook_of("app", 2)).is_some());
    }

    #[test]
    fn whoever_holds_the_fewest_is_next_however_long_others_wait() {
        let turns = Turns::new(Shares::open(2));
        let many = hook_of("many", 1);
        let first = turns.try_take(&many);
        let second = turns.try_take(&many);
        let mut third = Box::pin(turns.take(&many));
        assert!((&mut third).now_or_never().is_none());
        let few = hook_of("few", 2);
        let mut late = Box::pin(turns.take(&few));
        assert!((&mut late).now_or_never().is_none());
        drop(first);
        let late = late.now_or_never();
        assert!(late.flatten().is_some(), "few come first");
        assert!((&mut third).now_or_never().flatten().is_some());
        drop(second);
    }

    #[test]
    fn a_tenants_hooks_share_its_turns() {
        let turns = Turns::new(Shares::open(2));
        let (many, few) = (hook_of("app", 1), hook_of("app", 1));
        let first = turns.try_take(&many);
        let _second = turns.try_take(&many);
        let mut third = Box::pin(turns.take(&many));
        assert!((&mut third).now_or_never().is_none());
        let mut late = Box::pin(turns.take(&few));
        assert!((&mut late).now_or_never().is_none());
        drop(first);
        let late = late.now_or_never().flatten();
        assert!(late.is_some());
        assert!((&mut third).now_or_never().is_none());
    }

    #[test]
    fn a_turn_for_who_waits_no_more_goes_to_the_next() {
        let turns = Turns::new(Shares::open(1));
        let held = turns.try_take(&hook_of("a", 1));
        let (gone, stays) = (hook_of("b", 2), hook_of("c", 3));
        let mut waits = Box::pin(turns.take(&gone));
        assert!((&mut waits).now_or_never().is_none());
        let mut next = Box::pin(turns.take(&stays));
        assert!((&mut next).now_or_never().is_none());
        drop(waits);
        drop(held);
        assert!(next.now_or_never().flatten().is_some());
    }
}
