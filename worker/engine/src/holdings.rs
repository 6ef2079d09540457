//! The shares of hooks, tenants and owners in the capacity of a worker, and which of them have theirs. Counts only;
//! no I/O. Deliveries of a hook of no user count for the hook alone: only administrators make such.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use zerodb_hooks_delivery::hook::Party;

/// Hooks whose party is kept. Beyond, those without a delivery are forgotten; they are told again when they are next
/// met.
const KEPT: usize = 100_000;

/// Deliveries in flight, by whom they are for.
#[derive(Default)]
pub struct Holdings {
    total: usize,
    by_hook: HashMap<Uuid, usize>,
    by_tenant: HashMap<Party, usize>,
    by_owner: HashMap<Arc<str>, usize>,
    /// Hooks of users. One that is not known yet, in the moment before it is first loaded, counts for itself.
    parties: HashMap<Uuid, Party>,
}

/// Tenants and owners that have their share.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Crowd {
    pub users: Vec<Uuid>,
    pub owners: Vec<Arc<str>>,
}

impl Crowd {
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.owners.is_empty()
    }

    fn has(&self, party: &Party) -> bool {
        let owner = party.owner.as_ref();
        self.users.contains(&party.user_id) || owner.is_some_and(|owner| self.owners.contains(owner))
    }
}

impl Holdings {
    pub fn total(&self) -> usize {
        self.total
    }

    /// Whether the hook has deliveries in flight.
    pub fn has(&self, hook: Uuid) -> bool {
        self.by_hook.contains_key(&hook)
    }

    pub fn take(&mut self, hook: Uuid) {
        self.total += 1;
        *self.by_hook.entry(hook).or_default() += 1;
        if let Some(party) = self.parties.get(&hook).cloned() {
            self.count(&party, 1);
        }
    }

    pub fn free(&mut self, hook: Uuid) {
        if !lower(&mut self.by_hook, &hook, 1) {
            return;
        }
        self.total = self.total.saturating_sub(1);
        if let Some(party) = self.parties.get(&hook).cloned() {
            self.discount(&party, 1);
        }
    }

    /// Notes for whom a hook works. Its deliveries in flight count for them from now on.
    pub fn belong(&mut self, hook: Uuid, party: Party) {
        if self.parties.get(&hook) == Some(&party) {
            return;
        }
        let held = self.by_hook.get(&hook).copied().unwrap_or(0);
        if let Some(before) = self.parties.remove(&hook) {
            self.discount(&before, held);
        }
        if party.user_id.is_nil() {
            return;
        }
        if self.parties.len() >= KEPT {
            let by_hook = &self.by_hook;
            self.parties.retain(|hook, _| by_hook.contains_key(hook));
        }
        self.count(&party, held);
        self.parties.insert(hook, party);
    }

    /// Tenants and owners that get nothing now, where so much more is free.
    pub fn crowd(&self, free: usize) -> Crowd {
        let users = self.by_tenant.iter();
        let users = users.filter(|(_, held)| **held >= of_tenant(free + **held));
        let owners = self.by_owner.iter();
        let owners = owners.filter(|(_, held)| **held >= of_owner(free + **held));
        Crowd {
            users: users.map(|(party, _)| party.user_id).collect(),
            owners: owners.map(|(owner, _)| Arc::clone(owner)).collect(),
        }
    }

    /// Hooks that get nothing now: those that hold their share, and all known ones of the crowd.
    pub fn saturated(&self, free: usize) -> Vec<Uuid> {
        let full = |held: usize| held >= of_hook(free + held);
        let mut saturated: Vec<Uuid> = self
            .by_hook
            .iter()
            .filter_map(|(hook, held)| full(*held).then_some(*hook))
            .collect();
        let crowd = self.crowd(free);
        if !crowd.is_empty() {
            let of_crowd = self.parties.iter().filter(|(_, party)| crowd.has(party));
            saturated.extend(of_crowd.map(|(hook, _)| *hook));
            saturated.sort_unstable();
            saturated.dedup();
        }
        saturated
    }

    /// The most that one look may take: the share of a hook that has nothing, and not much more than what is left to
    /// the tenant or owner that is nearest to its share, for all that is found may be of that one.
    pub fn one_look(&self, free: usize) -> usize {
        let room = |most: usize, held: usize| most.checked_sub(held).filter(|left| *left > 0);
        let of_tenants = self.by_tenant.values();
        let of_tenants = of_tenants.filter_map(|held| room(of_tenant(free + *held), *held));
        let of_owners = self.by_owner.values();
        let of_owners = of_owners.filter_map(|held| room(of_owner(free + *held), *held));
        // Of two that are free, one stays.
        let share = of_hook(free).min(free.saturating_sub(1).max(1)).min(free);
        match of_tenants.chain(of_owners).min() {
            Some(left) => share.min(left.max(share / 4)),
            None => share,
        }
    }

    fn count(&mut self, party: &Party, more: usize) {
        if more == 0 {
            return;
        }
        *self.by_tenant.entry(party.clone()).or_default() += more;
        if let Some(owner) = &party.owner {
            *self.by_owner.entry(Arc::clone(owner)).or_default() += more;
        }
    }

    fn discount(&mut self, party: &Party, fewer: usize) {
        lower(&mut self.by_tenant, party, fewer);
        if let Some(owner) = &party.owner {
            lower(&mut self.by_owner, owner, fewer);
        }
    }
}

/// Counts fewer, and forgets who has none. False for who had none.
fn lower<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K, fewer: usize) -> bool {
    let Some(count) = counts.get_mut(key) else {
        return false;
    };
    *count = count.saturating_sub(fewer);
    if *count == 0 {
        counts.remove(key);
    }
    true
}

/// The share of one hook: three quarters of its own and the free capacity together.
fn of_hook(capacity: usize) -> usize {
    (capacity * 3).div_ceil(4)
}

/// The share of one tenant. More than a hook's, so that one slow hook does not hold up its tenant's others.
fn of_tenant(capacity: usize) -> usize {
    (capacity - capacity.div_ceil(8)).max(1)
}

/// The share of one owner, whichever tenants it acts for.
fn of_owner(capacity: usize) -> usize {
    (capacity - capacity.div_ceil(16)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(owner: &str, user: u128) -> Party {
        Party {
            owner: Some(owner.into()),
            user_id: Uuid::from_u128(user),
        }
    }

    /// Takes for these hooks, as looks do, until each of them gets nothing more; returns what is left of `size`.
    fn left_by(hooks: &[(Uuid, Party)], size: usize) -> usize {
        let mut holdings = Holdings::default();
        for (hook, party) in hooks {
            holdings.belong(*hook, party.clone());
        }
        loop {
            let free = size - holdings.total();
            let saturated = holdings.saturated(free);
            let Some((hook, _)) = hooks.iter().find(|(hook, _)| !saturated.contains(hook)) else {
                return free;
            };
            let taken = holdings.one_look(free);
            if taken == 0 {
                return free;
            }
            (0..taken).for_each(|_| holdings.take(*hook));
        }
    }

    #[test]
    fn many_hooks_of_a_tenant_leave_capacity_to_others() {
        for size in [2, 16, 400, 4000] {
            let hooks: Vec<_> = (1..=40).map(|n| (Uuid::from_u128(n), party("m", 7))).collect();
            assert!(left_by(&hooks, size) >= (size / 64).max(1), "of {size}");
        }
    }

    #[test]
    fn a_role_that_acts_for_many_tenants_leaves_capacity_to_others() {
        for size in [2, 16, 400, 4000] {
            let hooks: Vec<_> = (1..=40).map(|n| (Uuid::from_u128(n), party("m", n))).collect();
            assert!(left_by(&hooks, size) >= (size / 64).max(1), "of {size}");
        }
    }

    #[test]
    fn a_slow_hook_leaves_capacity_to_its_tenants_other_hooks() {
        let mut holdings = Holdings::default();
        let (slow, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        holdings.belong(slow, party("m", 7));
        holdings.belong(other, party("m", 7));
        (0..300).for_each(|_| holdings.take(slow));
        assert_eq!(holdings.saturated(100), [slow]);
    }

    #[test]
    fn what_a_hook_holds_before_it_is_known_counts_for_its_tenant_after() {
        let mut holdings = Holdings::default();
        let hooks = [1, 2, 3].map(Uuid::from_u128);
        hooks
            .iter()
            .for_each(|hook| (0..50).for_each(|_| holdings.take(*hook)));
        assert!(holdings.saturated(20).is_empty());
        for hook in hooks {
            holdings.belong(hook, party("m", 7));
        }
        assert_eq!(holdings.saturated(20), hooks);
        holdings.belong(hooks[1], party("other", 8));
        hooks.iter().for_each(|hook| holdings.free(*hook));
        assert_eq!(holdings.by_tenant[&party("m", 7)], 98);
        assert_eq!(holdings.total(), 147);
    }

    #[test]
    fn hooks_of_no_user_count_for_themselves() {
        let mut holdings = Holdings::default();
        let hooks = [1, 2].map(Uuid::from_u128);
        for hook in hooks {
            holdings.belong(hook, party("admin", 0));
            (0..190).for_each(|_| holdings.take(hook));
        }
        assert!(holdings.saturated(100).is_empty());
        assert_eq!(holdings.one_look(100), 75);
    }
}
