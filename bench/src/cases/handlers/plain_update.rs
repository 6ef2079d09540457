//! The physical floor of a write-back: the same vectors into a plain copy of the store's table, without a trigger, by
//! UPDATE … FROM unnest(…) of 256 rows a transaction on eight connections. The vectors are there before the time
//! counts.

use std::error::Error;
use std::time::Instant;

use anyhow::Result;
use async_trait::async_trait;
use futures_util::future::try_join_all;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use zerodb_hooks_harness::Session;
use zerodb_hooks_harness::model_endpoint::vector;

use super::backlog::{AT_ONCE, PACK};
use super::endpoint::MODEL;
use super::store;
use crate::args::Options;
use crate::cases::{Case, RATE};
use crate::figures::Reading;
use crate::processor::{self, OF_SERVER};
use crate::schema;
use crate::stage::Database;

const COPY: &str = "
CREATE TABLE vector_copy (LIKE zerodb_store.vectors INCLUDING ALL);
INSERT INTO vector_copy SELECT * FROM zerodb_store.vectors";
const UPDATE: &str = "
UPDATE vector_copy AS v SET embedding = u.embedding, embedding_model = $3, embedding_hash = sha256(convert_to(v.content, 'UTF8'))
FROM unnest($1::text[], $2::vector[]) AS u (id, embedding) WHERE v.id = u.id";

pub struct PlainUpdate;

#[async_trait(?Send)]
impl Case for PlainUpdate {
    fn name(&self) -> &'static str {
        "embed/floor"
    }

    fn title(&self) -> &'static str {
        "floor: the same vectors by plain UPDATEs, no model, no trigger"
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        store::create(&session).await?;
        store::fill(&session, options.embedded_rows).await?;
        session.run(COPY).await?;
        let texts = store::texts(&session).await?;
        let rows: Vec<(String, Vector)> = texts
            .iter()
            .enumerate()
            .map(|(place, text)| (format!("v{}", place + 1), Vector(vector(text, store::DIMENSIONS))))
            .collect();
        let mut sessions = Vec::with_capacity(AT_ONCE);
        for _ in 0..AT_ONCE {
            sessions.push(database.session().await?);
        }
        database.settle().await?;

        let server = processor::seconds_of_server(&session).await?;
        let started = Instant::now();
        let writers = sessions.iter().enumerate();
        try_join_all(
            writers.map(|(place, session)| write(session, rows.chunks(PACK).skip(place).step_by(AT_ONCE))),
        )
        .await?;
        let time = started.elapsed().as_secs_f64();
        let server = processor::seconds_of_server(&session).await? - server;
        let written = "(SELECT FROM vector_copy WHERE embedding IS NOT NULL AND embedding_hash IS NOT NULL)";
        schema::expect_rows(&session, written, i64::from(options.embedded_rows)).await?;
        Ok(vec![
            RATE.reads(f64::from(options.embedded_rows) / time),
            OF_SERVER.reads(server),
        ])
    }
}

async fn write(session: &Session, packs: impl Iterator<Item = &[(String, Vector)]>) -> Result<()> {
    let statement = session.client.prepare(UPDATE).await?;
    for pack in packs {
        let ids: Vec<&str> = pack.iter().map(|(id, _)| id.as_str()).collect();
        let vectors: Vec<&Vector> = pack.iter().map(|(_, vector)| vector).collect();
        session
            .client
            .execute(&statement, &[&ids, &vectors, &MODEL])
            .await?;
    }
    Ok(())
}

/// In the binary form of pgvector's type: the number of components, a number that is not used, the components.
#[derive(Debug)]
struct Vector(Vec<f32>);

impl ToSql for Vector {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&u16::try_from(self.0.len())?.to_be_bytes());
        out.extend_from_slice(&[0, 0]);
        self.0
            .iter()
            .for_each(|component| out.extend_from_slice(&component.to_be_bytes()));
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        kind.name() == "vector"
    }

    to_sql_checked!();
}
