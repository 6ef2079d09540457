//! Searches in a graph of a million relations between 200,000 entities: few of them have thousands of relations, most
//! have a handful. The tables of the store are filled directly, from a fixed seed. One search at a time, with the
//! default limit of 100 relations and once with a wider one; 250 entities, the largest hubs among them, each asked of
//! once.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use zerodb_hooks_harness::Session;

use crate::args::Options;
use crate::cases::Case;
use crate::figures::{Metric, Reading, percentile};
use crate::schema;
use crate::stage::Database;

pub const DEPTH_2: Metric = Metric::new("depth 2, p95", "ms");
pub const DEPTH_3: Metric = Metric::new("depth 3, p95", "ms");
pub const DEPTH_2_AS_OF: Metric = Metric::new("depth 2 as of a day, p95", "ms");
pub const DEPTH_3_AS_OF: Metric = Metric::new("depth 3 as of a day, p95", "ms");
const DEPTH_3_WIDE: Metric = Metric::new("depth 3, up to 1,000 relations, p95", "ms");
const HUB: Metric = Metric::new("relations of the largest hub", "");
const FOUND: Metric = Metric::new("relations found at depth 3, mean", "");

/// Relations of each entity, in the mean.
const EACH: u32 = 5;
const DEFAULT_LIMIT: u32 = 100;
const AS_OF: &str = "'2023-06-01'";
/// A fact in ten has ended. Sources and most targets follow a power law, entity 1 first; a tenth of the targets are
/// six hubs.
const DRAWN: &str = "
SELECT setseed(0.4);
CREATE TEMPORARY TABLE drawn AS
SELECT d.* FROM (
    SELECT DISTINCT ON (e.source_id, e.predicate, e.target_id) e.* FROM (
        SELECT n, ceil({entities} * power(1 - random(), 3))::bigint AS source_id, 'KNOWS_' || floor(random() * 8) AS predicate,
            CASE WHEN random() < 0.1 THEN ceil(6 * (1 - random())) ELSE ceil({entities} * power(1 - random(), 3)) END::bigint AS target_id,
            (0.5 + random() / 2)::real AS confidence, timestamptz '2020-01-01' + random() * interval '5 years' AS valid_at,
            CASE WHEN random() < 0.1 THEN random() * interval '2 years' END AS lasts
        FROM generate_series(1, {relations} * 13 / 10) AS n) AS e
    WHERE e.source_id <> e.target_id ORDER BY e.source_id, e.predicate, e.target_id, e.n) AS d
ORDER BY d.n LIMIT {relations};
CREATE TEMPORARY TABLE degree AS
SELECT o.id, count(*) AS n FROM drawn AS d CROSS JOIN LATERAL (VALUES (d.source_id), (d.target_id)) AS o (id) GROUP BY o.id";
/// The references hold as drawn: they are not checked again.
const STORE: &str = "
SET session_replication_role = replica;
INSERT INTO zerodb_store.entities (id, canonical_name, norm_name, sorted_name, mention_count)
SELECT e.n, 'Entity ' || e.n, 'entity ' || e.n, e.n || ' entity', coalesce(g.n, 0)
FROM generate_series(1, {entities}) AS e (n) LEFT JOIN degree AS g ON g.id = e.n;
INSERT INTO zerodb_store.relations (source_id, predicate, target_id, fact, confidence, valid_at, invalid_at, said_at)
SELECT d.source_id, d.predicate, d.target_id, 'Entity ' || d.source_id || ' knows entity ' || d.target_id, d.confidence,
    d.valid_at, d.valid_at + d.lasts, d.valid_at FROM drawn AS d;
SET session_replication_role = origin";
const ASKED: &str = "
(SELECT e.canonical_name FROM zerodb_store.entities AS e ORDER BY e.mention_count DESC LIMIT 20)
UNION ALL
(SELECT e.canonical_name FROM zerodb_store.entities AS e WHERE e.mention_count > 0 ORDER BY md5(e.canonical_name) LIMIT 230)";

pub struct Neighbours;

#[async_trait(?Send)]
impl Case for Neighbours {
    fn name(&self) -> &'static str {
        "graph/neighbours"
    }

    fn title(&self) -> &'static str {
        "neighbours of an entity in a graph with hubs"
    }

    fn is_once(&self) -> bool {
        true
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        session.run("SELECT zerodb.create_store()").await?;
        let sized = |text: &str| {
            text.replace("{entities}", &(options.relations / EACH).to_string())
                .replace("{relations}", &options.relations.to_string())
        };
        for statements in [DRAWN, STORE] {
            session.run(&sized(statements)).await?;
        }
        schema::expect_rows(&session, "zerodb_store.relations", i64::from(options.relations)).await?;
        for table in ["entities", "relations"] {
            session
                .run(&format!("VACUUM ANALYZE zerodb_store.{table}"))
                .await?;
        }
        let hub = session.number("SELECT max(g.n) FROM degree AS g").await?;
        let asked = session.texts(ASKED).await?;
        database.settle().await?;

        let mut readings = vec![HUB.reads(hub as f64)];
        let cases = [
            (2, "NULL", DEFAULT_LIMIT, DEPTH_2),
            (3, "NULL", DEFAULT_LIMIT, DEPTH_3),
            (2, AS_OF, DEFAULT_LIMIT, DEPTH_2_AS_OF),
            (3, AS_OF, DEFAULT_LIMIT, DEPTH_3_AS_OF),
            (3, "NULL", 10 * DEFAULT_LIMIT, DEPTH_3_WIDE),
        ];
        for (depth, at, limit, metric) in cases {
            let (times, found) = search(&session, &asked, depth, at, limit).await?;
            if metric == DEPTH_3 {
                readings.push(FOUND.reads(found));
            }
            let of = |what: &str, share| {
                let name = metric.name.replace("p95", what);
                Metric::named(name, "ms").reads(percentile(&times, share))
            };
            readings.extend([of("p50", 0.5), of("p95", 0.95), of("slowest", 1.0)]);
        }
        Ok(readings)
    }
}

/// Milliseconds of each search, and the relations that a search found in the mean.
async fn search(
    session: &Session,
    asked: &[String],
    depth: i32,
    at: &str,
    limit: u32,
) -> Result<(Vec<f64>, f64)> {
    let statement = format!("SELECT n.depth FROM zerodb.graph_neighbors($1, $2, {at}, {limit}) AS n");
    let statement = session.client.prepare(&statement).await?;
    let (mut times, mut found, mut deepest) = (Vec::with_capacity(asked.len()), 0, 0);
    for entity in asked {
        let started = Instant::now();
        let rows = session.client.query(&statement, &[entity, &depth]).await?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
        found += rows.len();
        if let Some(last) = rows.last() {
            deepest = deepest.max(last.try_get(0)?);
        }
    }
    ensure!(deepest == depth, "no search came to depth {depth}");
    let mean = found as f64 / asked.len() as f64;
    (mean > 1.0)
        .then_some((times, mean))
        .context("hardly a search found anything")
}
