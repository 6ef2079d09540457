//! Which hooks have their names in labels: the first ones that the worker meets, so that there are never more series
//! than were asked for. Names are their owners' to choose, so tenants get a part of them only: whoever makes a thousand
//! hooks takes no name from the operator, and few from other tenants. Pure.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;

/// The name of all hooks that have no name of their own in labels.
pub(crate) const OTHER: &str = "other";

/// For whom a hook is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    /// Every user; only administrators make such hooks.
    Global,
    /// One tenant, which is never named.
    Tenant,
}

impl Scope {
    fn of(user: Uuid) -> Self {
        if user.is_nil() { Self::Global } else { Self::Tenant }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Tenant => "tenant",
        }
    }
}

/// A hook as labels have it. Hooks of one scope and name share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HookLabel {
    pub name: Arc<str>,
    pub scope: Scope,
}

/// The names that were given out. They are kept for the life of the process: a counter that comes back must not begin
/// anew.
pub(crate) struct HookLabels {
    most: usize,
    given: HashSet<HookLabel>,
    of_tenants: usize,
    by_tenant: HashMap<Uuid, usize>,
}

impl HookLabels {
    pub fn new(most: usize) -> Self {
        Self {
            most,
            given: HashSet::new(),
            of_tenants: 0,
            by_tenant: HashMap::new(),
        }
    }

    /// The label of a hook of `user`, the nil UUID for every user.
    pub fn of(&mut self, user: Uuid, name: &str) -> HookLabel {
        let scope = Scope::of(user);
        let wanted = HookLabel {
            name: name.into(),
            scope,
        };
        if name == OTHER || self.given.contains(&wanted) {
            return wanted;
        }
        if !self.may_have_one(user, scope) {
            return HookLabel {
                name: OTHER.into(),
                scope,
            };
        }
        if scope == Scope::Tenant {
            self.of_tenants += 1;
            *self.by_tenant.entry(user).or_default() += 1;
        }
        self.given.insert(wanted.clone());
        wanted
    }

    fn may_have_one(&self, user: Uuid, scope: Scope) -> bool {
        if self.given.len() >= self.most {
            return false;
        }
        let of_this = self.by_tenant.get(&user).copied().unwrap_or(0);
        scope == Scope::Global || (self.of_tenants < self.most / 2 && of_this < self.most.div_ceil(10))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(labels: &mut HookLabels, user: u128, names: std::ops::Range<usize>) -> usize {
        names
            .filter(|n| &*labels.of(Uuid::from_u128(user), &format!("h{n}")).name != OTHER)
            .count()
    }

    #[test]
    fn a_tenant_with_many_hooks_takes_a_tenth_of_the_names_and_all_tenants_half() {
        let mut labels = HookLabels::new(100);
        assert_eq!(given(&mut labels, 1, 0..1000), 10);
        let others = (2..50).map(|user| given(&mut labels, user as u128, user * 1000..user * 1000 + 100));
        assert_eq!(others.sum::<usize>(), 40);
        assert_eq!(given(&mut labels, 0, 0..1000), 50);
    }

    #[test]
    fn a_name_that_was_given_stays_and_a_tenants_is_not_the_operators() {
        let mut labels = HookLabels::new(1);
        let own = labels.of(Uuid::nil(), "billing");
        assert_eq!((&*own.name, own.scope), ("billing", Scope::Global));
        assert_eq!(labels.of(Uuid::nil(), "billing"), own);
        let stranger = labels.of(Uuid::from_u128(7), "billing");
        assert_eq!((&*stranger.name, stranger.scope), (OTHER, Scope::Tenant));
    }

    #[test]
    fn without_names_all_are_other() {
        let mut labels = HookLabels::new(0);
        assert_eq!(&*labels.of(Uuid::nil(), "h").name, OTHER);
    }
}
