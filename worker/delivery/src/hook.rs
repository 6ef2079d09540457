//! A hook as the worker knows it: a row of `zerodb_hooks`, at one version. Pure.

use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::retry::Policy;

/// The owner and the user that work is done for. Turns are shared out by it: by owner, and by tenant within an owner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Party {
    pub owner: Option<Arc<str>>,
    pub user_id: Uuid,
}

/// A hook that asks for something, and for whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Principal {
    pub party: Party,
    pub hook: Uuid,
}

#[derive(Clone, Debug)]
pub struct Hook {
    pub id: Uuid,
    /// Changes with every write of the row; a cached hook of another version is loaded again.
    pub version: i64,
    pub user_id: Uuid,
    /// The role that made it, as the database names it; `None` for a role that is gone.
    pub owner: Option<Arc<str>>,
    pub hook_type: String,
    pub name: String,
    /// Empty when the row holds something that is not an object: the handler then reports what it misses.
    pub config: Map<String, Value>,
    pub policy: Policy,
}

impl Hook {
    pub fn new(
        id: Uuid,
        version: i64,
        user_id: Uuid,
        hook_type: String,
        name: String,
        config: Value,
    ) -> Self {
        let config = match config {
            Value::Object(config) => config,
            _ => Map::new(),
        };
        let policy = Policy::of(&hook_type, &config);
        Self {
            id,
            version,
            user_id,
            owner: None,
            hook_type,
            name,
            config,
            policy,
        }
    }

    pub fn party(&self) -> Party {
        Party {
            owner: self.owner.clone(),
            user_id: self.user_id,
        }
    }

    /// The principal for work on rows of `tenant`: a hook of every user asks for each of them.
    pub fn principal(&self, tenant: Option<Uuid>) -> Principal {
        let own = self.party();
        Principal {
            party: Party {
                user_id: tenant.unwrap_or(own.user_id),
                ..own
            },
            hook: self.id,
        }
    }

    /// The same hook with no longer a deadline than hooks of its type have by default.
    #[must_use]
    pub fn within_default_timeout(&self) -> Self {
        let default = Policy::of(&self.hook_type, &Map::new()).timeout;
        let mut hook = self.clone();
        hook.policy.timeout = hook.policy.timeout.min(default);
        hook
    }

    /// The key of the handler that runs it: the type, but for hooks whose handler is chosen by name.
    pub fn handler(&self) -> &str {
        match self.hook_type.as_str() {
            "first_party" | "function" => &self.name,
            other => other,
        }
    }

    /// The user whose rows it may touch; `None` for a hook of no user, which serves all.
    pub fn tenant(&self) -> Option<Uuid> {
        (!self.user_id.is_nil()).then_some(self.user_id)
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.config.get(key)?.as_str()
    }

    pub fn number(&self, key: &str) -> Option<u64> {
        self.config.get(key)?.as_u64()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_hours_deadline_is_cut_to_the_default_and_a_shorter_one_stays() {
        let timeout_of = |config| {
            let hook = Hook::new(Uuid::nil(), 1, Uuid::nil(), "webhook".into(), "h".into(), config);
            hook.within_default_timeout().policy.timeout.as_millis()
        };
        assert_eq!(timeout_of(json!({"timeout_ms": 3_600_000})), 5_000);
        assert_eq!(timeout_of(json!({"timeout_ms": 700})), 700);
    }
}
