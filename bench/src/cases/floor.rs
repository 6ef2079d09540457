//! The physical floor of a burn-down: rows of the deliveries' shape, stored and deleted by plain SQL, a thousand a
//! transaction, on one connection. Nothing is claimed, nothing is run.

use std::time::Instant;

use anyhow::Result;
use async_trait::async_trait;

use super::{Case, RATE};
use crate::args::Options;
use crate::figures::Reading;
use crate::schema;
use crate::stage::Database;

/// The columns of the public view, and the one index that any queue needs.
const MOVED: &str = "
CREATE TABLE moved AS SELECT * FROM zerodb.deliveries WITH NO DATA;
ALTER TABLE moved ADD PRIMARY KEY (id)";

pub struct Floor;

#[async_trait(?Send)]
impl Case for Floor {
    fn name(&self) -> &'static str {
        "burn-down/floor"
    }

    fn title(&self) -> &'static str {
        "floor: the same rows stored and deleted by plain SQL"
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        for statements in [schema::ITEM, MOVED] {
            session.run(statements).await?;
        }
        session.run(&schema::insert_many(options.events)).await?;
        session.run("VACUUM (FREEZE, ANALYZE) item").await?;
        database.settle().await?;

        let started = Instant::now();
        schema::in_batches(&session, options.events, store).await?;
        let stored = started.elapsed();
        schema::expect_rows(&session, "moved", i64::from(options.events)).await?;
        let counted = Instant::now();
        schema::in_batches(&session, options.events, delete).await?;
        let time = (stored + counted.elapsed()).as_secs_f64();
        schema::expect_rows(&session, "moved", 0).await?;
        Ok(vec![RATE.reads(f64::from(options.events) / time)])
    }
}

fn store(first: u32, last: u32) -> String {
    format!(
        "INSERT INTO moved (id, event_id, hook_id, state, attempts, next_attempt_at, created_at, user_id)
        SELECT i.id, 'evt_' || lpad(to_hex(i.id), 32, '0'), '00000000-0000-0000-0000-000000000001', 'pending', 0,
            clock_timestamp(), clock_timestamp(), '00000000-0000-0000-0000-000000000000'
        FROM item AS i WHERE i.id BETWEEN {first} AND {last}"
    )
}

fn delete(first: u32, last: u32) -> String {
    format!("DELETE FROM moved WHERE id BETWEEN {first} AND {last}")
}
