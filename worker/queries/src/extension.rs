//! The extension in this database: its version, its library, its indexes, its setting for NOTIFY, and what the role may
//! do.

use serde::Serialize;
use tokio_postgres::Client;

use crate::{QueryError, ask, statements};

/// What `missing_privileges` names where the schema may not be used at all.
pub const SCHEMA_USAGE: &str = "USAGE on schema zerodb";

zerodb_hooks_store::row! {
    /// Which versions there are.
    #[derive(Debug, Clone, Serialize)]
    pub struct ExtensionVersions {
        /// The one of this database; `None` when the extension is not created.
        pub installed: Option<String>,
        /// The one that could be created; `None` when the server has none.
        pub available: Option<String>,
    }
}

/// The versions of the extension that this database has and that the server has.
///
/// # Errors
/// Those of the statement.
pub async fn extension_versions(client: &Client) -> Result<ExtensionVersions, QueryError> {
    ask::one(client, statements::VERSIONS, &[]).await
}

/// Has the server load the extension's library.
///
/// # Errors
/// When it does not load, or the role may not call into it.
pub async fn load_library(client: &Client) -> Result<(), QueryError> {
    client.query_one(statements::LIBRARY, &[]).await?;
    Ok(())
}

zerodb_hooks_store::row! {
    /// An index that a rebuild has left behind.
    #[derive(Debug, Clone, Serialize)]
    pub struct InvalidIndex {
        /// As SQL writes it.
        pub name: String,
        /// Whether writes still keep it.
        pub is_kept: bool,
    }
}

/// Indexes of the extension's tables that are not valid.
///
/// # Errors
/// Those of the statement.
pub async fn invalid_indexes(client: &Client) -> Result<Vec<InvalidIndex>, QueryError> {
    ask::all(client, statements::INVALID_INDEXES, &[]).await
}

/// Where `zerodb.notify` is switched off: this session, databases, roles.
///
/// # Errors
/// Those of the statement.
pub async fn notify_off(client: &Client) -> Result<Vec<String>, QueryError> {
    ask::column(client, statements::NOTIFY_OFF, "place").await
}

zerodb_hooks_store::row! {
    /// What the role may do before it may do anything else.
    pub struct SchemaAccess {
        /// Use the schema.
        pub usable: bool,
        /// Ask which functions a worker needs.
        pub has_list: bool,
    }
}

/// The privileges that `zerodb.grant_worker` gives and this role does not have; `SCHEMA_USAGE` alone where nothing else
/// can be asked for.
///
/// # Errors
/// Those of the statements.
pub async fn missing_privileges(client: &Client) -> Result<Vec<String>, QueryError> {
    let access: SchemaAccess = ask::one(client, statements::SCHEMA_ACCESS, &[]).await?;
    if !access.usable {
        return Ok(vec![SCHEMA_USAGE.to_owned()]);
    }
    if !access.has_list {
        return Ok(vec!["EXECUTE on its functions".to_owned()]);
    }
    ask::column(client, statements::MISSING_PRIVILEGES, "privilege").await
}
