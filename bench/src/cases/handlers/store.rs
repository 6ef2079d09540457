//! The ready-made store with an auto_embed hook, rows with texts, and the proof that they have their vectors.

use anyhow::{Context, Result, ensure};
use zerodb_hooks_harness::Session;
use zerodb_hooks_harness::model_endpoint::vector;

use crate::schema;

/// Of bge-m3, and the store's default.
pub const DIMENSIONS: usize = 1024;

pub const EMBEDDED: &str = "SELECT count(embedding) FROM zerodb_store.vectors";

/// The number of rows of each write of vectors: what one transaction has written.
const WRITES: &str = "SELECT count(*) FROM zerodb_store.vectors WHERE embedding IS NOT NULL GROUP BY xmin";
const SOME: &str = "SELECT content, to_json(embedding::real[]) AS embedding FROM zerodb_store.vectors ORDER BY md5(id) LIMIT 20";

/// The store with pgvector's type, empty.
pub async fn create(session: &Session) -> Result<()> {
    session
        .run("CREATE EXTENSION vector; SELECT zerodb.create_store()")
        .await
}

/// The store, and the hook on its vectors.
pub async fn create_with_hook(session: &Session, config: &serde_json::Value) -> Result<()> {
    create(session).await?;
    let make = format!("SELECT zerodb.create_hook('zerodb.vector.stored', 'auto_embed', '{config}')");
    session.run(&make).await
}

/// Stores rows of about sixty words, a thousand a transaction; no two have the same text, and the same number has the
/// same.
pub async fn fill(session: &Session, rows: u32) -> Result<()> {
    let insert = |first, last| {
        format!(
            "INSERT INTO zerodb_store.vectors (id, content)
            SELECT 'v' || n, 'Row ' || n || ' ' || (SELECT string_agg(substr(md5(w::text), 1, 3 + w % 8), ' ')
                FROM (SELECT abs(hashint8(n * 60 + k)::bigint % 5000)::integer AS w FROM generate_series(1, 58) AS k) AS x)
            FROM generate_series({first}::bigint, {last}) AS n"
        )
    };
    schema::in_batches(session, rows, insert).await?;
    schema::expect_rows(session, "zerodb_store.vectors", i64::from(rows)).await
}

/// The texts in the order in which they were stored.
pub async fn texts(session: &Session) -> Result<Vec<String>> {
    session
        .texts("SELECT content FROM zerodb_store.vectors ORDER BY substr(id, 2)::bigint")
        .await
}

/// How many rows each write has written: the sizes of the requests, where each request's vectors are written together.
pub async fn writes(session: &Session) -> Result<Vec<u64>> {
    let sizes = session.texts(WRITES).await?;
    sizes.iter().map(|size| Ok(size.parse()?)).collect()
}

/// Looks at some rows: their vectors are those of their texts.
pub async fn check_some(session: &Session) -> Result<()> {
    for row in session.rows(SOME).await? {
        let text = row["content"].as_str().context("a row without content")?;
        let found: Vec<f32> = serde_json::from_value(row["embedding"].clone())?;
        let wanted = vector(text, found.len());
        let near = found
            .iter()
            .zip(&wanted)
            .all(|(one, other)| (one - other).abs() < 1e-4);
        ensure!(near, "the vector of {text:?} is another one");
    }
    Ok(())
}
