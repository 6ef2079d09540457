//! Signing secrets, for whoever may show one. What is read is sealed.

use tokio_postgres::Client;
use uuid::Uuid;

use crate::{QueryError, ask, statements};

zerodb_hooks_store::row! {
    /// The newest signing secret of a hook.
    #[derive(Debug, Clone)]
    pub struct HookSecret {
        /// Whose it is.
        pub hook_id: Uuid,
        /// Its number; `None` where the hook has none.
        pub number: Option<i32>,
        /// `None` for one that nobody has drawn yet.
        pub sealed: Option<Vec<u8>>,
        /// Whether it was shown before.
        pub is_shown: bool,
    }
}

/// The newest secret of each hook of this id or name.
///
/// # Errors
/// Those of the statement.
pub async fn newest_secrets(client: &Client, id_or_name: &str) -> Result<Vec<HookSecret>, QueryError> {
    ask::all(client, statements::NEWEST_SECRET, &[&id_or_name]).await
}

/// Keeps a secret that was drawn, where there is none yet, and returns the one that is kept; `None` when another
/// session holds it.
///
/// # Errors
/// Those of the statement.
pub async fn keep_secret(
    client: &Client,
    hook: Uuid,
    number: i32,
    sealed: &[u8],
) -> Result<Option<Vec<u8>>, QueryError> {
    ask::value(
        client,
        statements::KEEP_SECRET,
        &[&hook, &number, &sealed],
        "kept",
    )
    .await
}

/// Whether the caller is the first that may show it.
///
/// # Errors
/// Those of the statement.
pub async fn show_secret(client: &Client, hook: Uuid, number: i32) -> Result<bool, QueryError> {
    ask::value(client, statements::SHOW_SECRET, &[&hook, &number], "is_first").await
}
