//! Look-ups and lists in a long history: each random id is asked of one question after another, the floor among them,
//! in as many passes as there are rounds. The history is made once and asked without a worker.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Result, ensure};
use async_trait::async_trait;
use zerodb_hooks_harness::Session;

use super::maker;
use super::questions::{ALL, Asked, OF_A_TENANT, PREPARED_DELIVERY, PREPARED_EVENT, Question};
use crate::args::Options;
use crate::cases::Case;
use crate::draw;
use crate::figures::{Metric, Reading, percentile};
use crate::stage::Database;

const MADE: Metric = Metric::new("making the history", "s");
const BYTES_OF_EVENT: Metric = Metric::new("bytes of an event, with its index", "B");
const BYTES_OF_DELIVERY: Metric =
    Metric::new("bytes of a finished delivery, with its attempts and indexes", "B");

/// As many rows as there are events, of the same width.
const PLAIN: &str = "
CREATE TABLE plain_event AS
SELECT (row_number() OVER ())::bigint AS id, o.created_at, o.relid, o.user_id, o.event_type, o.data FROM zerodb.outbox AS o;
ALTER TABLE plain_event ADD PRIMARY KEY (id)";
const TENANT: &str = "
CREATE ROLE bench_tenant;
SELECT zerodb.grant_user('bench_tenant')";
const SIZE: &str = "SELECT sum(pg_total_relation_size(p.relid))::bigint
    FROM (SELECT relid FROM pg_partition_tree('{table}') UNION SELECT '{table}'::regclass) AS p";

/// One id in as many is asked of what is asked seldom.
const SELDOM: usize = 10;

pub const LOOK_UPS: &str = "history/look-ups";

pub struct LookUps;

/// Milliseconds by what was asked.
type Times = BTreeMap<&'static str, Vec<f64>>;

#[async_trait(?Send)]
impl Case for LookUps {
    fn name(&self) -> &'static str {
        LOOK_UPS
    }

    fn title(&self) -> &'static str {
        "a history of finished deliveries, by ids drawn at random"
    }

    fn is_once(&self) -> bool {
        true
    }

    async fn measure(&self, database: &Database<'_>, options: &Options) -> Result<Vec<Reading>> {
        let session = database.session().await?;
        let events = options.history();
        let started = Instant::now();
        maker::make(&session, events).await?;
        let mut readings = vec![MADE.reads(started.elapsed().as_secs_f64())];
        readings.extend(sizes(&session, events).await?);
        session.run(PLAIN).await?;
        session.run("VACUUM (ANALYZE) plain_event").await?;
        session.run("DROP ROLE IF EXISTS bench_tenant").await?;
        session.run(TENANT).await?;
        database.settle().await?;
        let tenant = database.session().await?;
        tenant.run("SET ROLE bench_tenant").await?;
        for pass in 0..options.rounds {
            let drawn = Drawn {
                session: &session,
                tenant: &tenant,
                events,
                pass,
                asks: options.asks,
            };
            let times = drawn.ask().await?;
            readings.extend(said(&times));
        }
        drop(tenant);
        session
            .run("DROP OWNED BY bench_tenant; DROP ROLE bench_tenant")
            .await?;
        Ok(readings)
    }
}

fn said(times: &Times) -> Vec<Reading> {
    let questions = ALL
        .iter()
        .chain([&PREPARED_EVENT, &PREPARED_DELIVERY])
        .chain(OF_A_TENANT);
    questions
        .filter_map(|question| Some((question, times.get(question.says)?)))
        .flat_map(|(question, times)| {
            [
                question.p50().reads(percentile(times, 0.5)),
                question.p99().reads(percentile(times, 0.99)),
            ]
        })
        .collect()
}

async fn sizes(session: &Session, events: u32) -> Result<[Reading; 2]> {
    let size = async |table: &str| session.number(&SIZE.replace("{table}", table)).await;
    let log = size("zerodb.outbox").await?;
    let ended =
        size("zerodb.completion").await? + size("zerodb.attempt").await? + size("zerodb.delivery").await?;
    let each = |bytes: i64| bytes as f64 / f64::from(events);
    Ok([
        BYTES_OF_EVENT.reads(each(log)),
        BYTES_OF_DELIVERY.reads(each(ended)),
    ])
}

/// One pass: the ids that are drawn, and who asks.
struct Drawn<'a> {
    session: &'a Session,
    tenant: &'a Session,
    events: u32,
    pass: u32,
    asks: u32,
}

/// One id, in all its forms.
struct Id {
    number: u32,
    event: String,
    /// Of another one.
    event_2: String,
    hook: String,
    user: String,
    at: String,
}

impl Drawn<'_> {
    async fn ask(&self) -> Result<Times> {
        let mut times = Times::new();
        let event = self.session.client.prepare(PREPARED_EVENT.sql).await?;
        let delivery = self.session.client.prepare(PREPARED_DELIVERY.sql).await?;
        for at in 0..self.asks {
            let id = self.draw(at).await?;
            for question in ALL {
                if question.asked == Asked::Often || (at as usize).is_multiple_of(SELDOM) {
                    ask(self.session, question, &id, &mut times).await?;
                }
            }
            for (statement, question, parameter) in [
                (
                    &event,
                    &PREPARED_EVENT,
                    &id.event as &(dyn tokio_postgres::types::ToSql + Sync),
                ),
                (&delivery, &PREPARED_DELIVERY, &(i64::from(id.number) + 1)),
            ] {
                let started = Instant::now();
                let rows = self.session.client.query(statement, &[parameter]).await?;
                take(&mut times, question.says, started);
                ensure!(rows.len() == 1, "{} rows, not one: {}", rows.len(), question.says);
            }
            self.tenant
                .run(&format!("SET zerodb.user_id = '{}'", id.user))
                .await?;
            for question in OF_A_TENANT {
                ask(self.tenant, question, &id, &mut times).await?;
            }
        }
        Ok(times)
    }

    /// The `at`-th id of this pass; none is drawn twice.
    async fn draw(&self, at: u32) -> Result<Id> {
        let number = draw::number(self.pass * self.asks + at, self.events);
        let of = format!(
            "SELECT d.hook_id || ' ' || d.user_id || ' ' || d.created_at FROM zerodb.deliveries AS d WHERE d.id = {}",
            number + 1
        );
        let of = self.session.text(&of).await?;
        let mut of = of.splitn(3, ' ').map(str::to_owned);
        Ok(Id {
            number,
            event: self.event(number).await?,
            event_2: self.event(self.events - 1 - number).await?,
            hook: of.next().unwrap_or_default(),
            user: of.next().unwrap_or_default(),
            at: of.next().unwrap_or_default(),
        })
    }

    /// The id of an event by its number.
    async fn event(&self, number: u32) -> Result<String> {
        let (xid, ord) = maker::key(number);
        self.session
            .text(&format!("SELECT zerodb._event_id('{xid}', {ord})"))
            .await
    }
}

async fn ask(session: &Session, question: &Question, id: &Id, times: &mut Times) -> Result<()> {
    let key = (id.number + 1).to_string();
    let sql = question
        .sql
        .replace("{event}", &id.event)
        .replace("{event_2}", &id.event_2)
        .replace("{delivery}", &key)
        .replace("{hook}", &id.hook)
        .replace("{user}", &id.user)
        .replace("{at}", &id.at)
        .replace("{key}", &key);
    let started = Instant::now();
    let rows = session.client.simple_query(&sql).await?;
    take(times, question.says, started);
    let found = rows
        .iter()
        .any(|row| matches!(row, tokio_postgres::SimpleQueryMessage::Row(_)));
    ensure!(found, "nothing was found: {sql}");
    Ok(())
}

fn take(times: &mut Times, says: &'static str, started: Instant) {
    times
        .entry(says)
        .or_default()
        .push(started.elapsed().as_secs_f64() * 1000.0);
}
