//! The hooks that the caller may see. A config is serialised without its secrets.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;
use tokio_postgres::Client;
use uuid::Uuid;
use zerodb_hooks_contract::{Fault, HookSettings, HookType};

use crate::config_secrets::hidden;
use crate::{QueryError, ask, statements};

/// Which hooks are meant; without anything, all of them.
#[derive(Debug, Clone, Default)]
pub struct HookFilter {
    /// Only those on exactly this event type or pattern.
    pub event_type: Option<String>,
    /// Only those of this project.
    pub project: Option<Uuid>,
    /// Only active ones.
    pub active_only: bool,
}

impl HookFilter {
    /// Every active hook.
    pub fn active() -> Self {
        Self {
            active_only: true,
            ..Self::default()
        }
    }
}

zerodb_hooks_store::row! {
    /// A row of `zerodb_hooks`.
    #[derive(Debug, Clone, Serialize)]
    pub struct HookListing {
        /// Its id.
        pub id: Uuid,
        /// Whose it is; the nil UUID for every user's.
        pub user_id: Uuid,
        /// The only project that it is for.
        pub project_id: Option<Uuid>,
        /// The event type or pattern that it is for.
        pub event_type: String,
        /// Which handler runs.
        pub hook_type: String,
        /// Its name; for first-party hooks that of the handler.
        pub hook_name: String,
        /// As it was written. Serialised without what is, or may be, a secret.
        #[serde(serialize_with = "without_secrets")]
        pub hook_config: Value,
        /// Whether it gets deliveries.
        pub is_active: bool,
        /// When it was made.
        pub created_at: Timestamp,
        /// When it was changed last.
        pub updated_at: Timestamp,
    }
}

impl HookListing {
    /// What its config says.
    ///
    /// # Errors
    /// The reason for which a worker cannot read it.
    pub fn settings(&self) -> Result<HookSettings, Fault> {
        let hook_type = HookType::of(&self.hook_type, &self.hook_name)?;
        HookSettings::read(&hook_type, &self.hook_config)
    }
}

fn without_secrets<S: Serializer>(config: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    hidden(config).serialize(serializer)
}

/// Hooks, oldest first.
///
/// # Errors
/// Those of the statement.
pub async fn hooks(client: &Client, filter: &HookFilter) -> Result<Vec<HookListing>, QueryError> {
    let parameters: ask::Parameters<'_> = &[&filter.event_type, &filter.project, &filter.active_only];
    ask::all(client, statements::HOOKS, parameters).await
}

/// Whether the caller may see a hook of this id or name.
///
/// # Errors
/// Those of the statement.
pub async fn hook_exists(client: &Client, id_or_name: &str) -> Result<bool, QueryError> {
    ask::value(client, statements::HOOK_EXISTS, &[&id_or_name], "known").await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_serialised_hook_has_no_secret() {
        let hook = HookListing {
            id: Uuid::nil(),
            user_id: Uuid::nil(),
            project_id: None,
            event_type: "*".into(),
            hook_type: "webhook".into(),
            hook_name: "h".into(),
            hook_config: json!({"url": "https://hooks.example.com/hush", "secret": "hush"}),
            is_active: true,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        };
        let text = serde_json::to_string(&hook).expect("a hook serialises");
        assert!(
            !text.contains("hush") && text.contains("hooks.example.com"),
            "{text}"
        );
    }
}
