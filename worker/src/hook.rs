//! A hook as the worker knows it: a row of `zerodb_hooks`, at one version. Pure.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::retry::Policy;

#[derive(Clone, Debug)]
pub struct Hook {
    pub id: Uuid,
    /// Changes with every write of the row; a cached hook of another version is loaded again.
    pub version: i64,
    pub user_id: Uuid,
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
            hook_type,
            name,
            config,
            policy,
        }
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
