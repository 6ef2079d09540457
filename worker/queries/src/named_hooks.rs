//! Hooks by what a person types: an id or a name.

use serde::Serialize;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::{QueryError, ask, statements};

zerodb_hooks_store::row! {
    /// A hook, without its config.
    #[derive(Debug, Clone, Serialize)]
    pub struct NamedHook {
        /// Its id.
        pub id: Uuid,
        /// Its name.
        pub hook_name: String,
        /// The event type or pattern that it is for.
        pub event_type: String,
        /// Which handler runs.
        pub hook_type: String,
        /// Whether it gets deliveries.
        pub is_active: bool,
        /// Whose it is; the nil UUID for every user's.
        pub user_id: Uuid,
    }
}

/// The hooks that the caller may see of this id or name, ten at most. A text that is a UUID is an id.
///
/// # Errors
/// Those of the statement.
pub async fn hooks_named(client: &Client, id_or_name: &str) -> Result<Vec<NamedHook>, QueryError> {
    let id = Uuid::try_parse(id_or_name).ok();
    let name = id.is_none().then_some(id_or_name);
    ask::all(client, statements::HOOKS_NAMED, &[&id, &name]).await
}
