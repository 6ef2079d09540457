//! Searches of the store. Embedding a query is the caller's business.

use serde::Serialize;
use tokio_postgres::Client;

use crate::{QueryError, ask, statements};

/// What is looked for, and where.
#[derive(Debug, Clone)]
pub struct RecallRequest<'a> {
    /// The words.
    pub query: &'a str,
    /// The most rows.
    pub limit: i32,
    /// `zeromemory`, `memories`, `vectors` or `files`.
    pub source: &'a str,
    /// Only memories about this entity.
    pub entity: Option<&'a str>,
    /// Only this namespace.
    pub namespace: Option<&'a str>,
    /// The query's vector; `None` for that of the local provider.
    pub vector: Option<Vec<f32>>,
    /// The schema of the store.
    pub schema: &'a str,
}

zerodb_hooks_store::row! {
    /// What fits a query.
    #[derive(Debug, Clone, Serialize)]
    pub struct RecalledRow {
        /// Of the row that was found.
        pub id: String,
        /// Its text.
        pub content: Option<String>,
        /// How well it fits, by all that was compared.
        pub score: f32,
        /// Of the vectors, where both were there.
        pub similarity: Option<f32>,
        /// What it was found by: words, vectors or both.
        pub found_by: String,
    }
}

zerodb_hooks_store::row! {
    /// The vectors that a query is compared with.
    #[derive(Debug, Clone, Serialize)]
    pub struct VectorSpace {
        /// How many numbers a vector has, where they all have as many.
        pub dimensions: Option<i32>,
        /// Whether there are vectors of the model that was asked for.
        pub has_model: bool,
        /// A model that there are vectors of, where there are none of that one.
        pub other_model: Option<String>,
    }
}

/// What fits best, the best first.
///
/// # Errors
/// Those of the statement: an unknown source, no such store, no right to read it.
pub async fn recall(client: &Client, request: &RecallRequest<'_>) -> Result<Vec<RecalledRow>, QueryError> {
    let RecallRequest {
        query,
        limit,
        source,
        entity,
        namespace,
        vector,
        schema,
    } = request;
    let parameters: ask::Parameters<'_> = &[query, limit, source, entity, namespace, vector, schema];
    ask::all(client, statements::RECALL, parameters).await
}

/// What a query must be embedded as to be compared with the vectors of a source.
///
/// # Errors
/// Those of the statement.
pub async fn vector_space(
    client: &Client,
    source: &str,
    schema: &str,
    model: &str,
) -> Result<VectorSpace, QueryError> {
    ask::one(client, statements::VECTOR_SPACE, &[&source, &schema, &model]).await
}
