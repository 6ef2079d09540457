//! The alert rules and the dashboard of `packaging/monitoring` against a real worker, Prometheus and Alertmanager: a
//! fault becomes an alert, and every expression finds what it asks for.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use zerodb_hooks_harness::programs::monitoring::Server;
use zerodb_hooks_harness::{Answer, Monitoring, Receiver, SOON, Session, eventually};

use crate::setup::{watched_table, webhook_hook};
use crate::watched::{Watched, any_database};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/monitoring");
/// Grafana's word for a few times the scrape interval.
const INTERVAL: &str = "$__rate_interval";

/// The rules with seconds in the place of minutes and hours, as the scraper of the tests has them.
fn hurried_rules() -> Result<String> {
    let rules = fs::read_to_string(format!("{FOLDER}/rules.yml"))?;
    let mut hurried = String::with_capacity(rules.len());
    for line in rules.lines() {
        let line = match line.split_once("for: ") {
            Some((indent, _)) => format!("{indent}for: 2s"),
            None => line.replace("[5m]", "[10s]").replace("[15m]", "[10s]"),
        };
        hurried.push_str(&line);
        hurried.push('\n');
    }
    Ok(hurried)
}

/// The alerts that are told as firing, or as resolved, in what a webhook received.
fn told(receiver: &Receiver, status: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for request in receiver.requests() {
        let body = request.json().unwrap_or_default();
        for alert in body["alerts"].as_array().into_iter().flatten() {
            if alert["status"] == status {
                names.extend(alert["labels"]["alertname"].as_str().map(str::to_owned));
            }
        }
    }
    names
}

async fn is_told(receiver: &Receiver, status: &str, name: &str, prometheus: &Server) -> Result<()> {
    let seen = eventually(SOON, async || told(receiver, status).contains(name).then_some(())).await;
    seen.with_context(|| {
        format!(
            "{name} is not {status}; {:?}\n{}",
            told(receiver, status),
            prometheus.log()
        )
    })
}

async fn write(session: &Session) -> Result<()> {
    session
        .run("INSERT INTO doc (size) VALUES (1); INSERT INTO zerodb_store.vectors (id, content) VALUES (gen_random_uuid()::text, 'a bird sings')")
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_down_becomes_an_alert_and_every_expression_finds_series() -> Result<()> {
    let Some(monitoring) = Monitoring::found() else {
        return Ok(());
    };
    let database = any_database().await?;
    let session = database.session().await?;
    watched_table(&session).await?;
    let (mut endpoint, alerts) = (Receiver::start()?, Receiver::start()?);
    let config = json!({"url": endpoint.url("/"), "retry_count": 0});
    session.run(&webhook_hook("billing", config)).await?;
    session
        .run(
            "SELECT zerodb.create_store(); SELECT zerodb.create_hook('zerodb.vector.stored', 'auto_embed', '{}');
             SELECT zerodb.create_hook('doc.created', 'lacking', '{}', hook_type => 'function');
             INSERT INTO zerodb.endpoint (name) VALUES ('openai')",
        )
        .await?;
    let mut watched = Watched::start(&database.worker_url(), &[], &[]).await?;
    let alertmanager = monitoring.alertmanager(&alerts.url("/")).await?;
    let workers = [watched.address];
    let prometheus = monitoring
        .prometheus(&hurried_rules()?, &workers, alertmanager.address)
        .await?;
    write(&session).await?;
    endpoint.wait_for(1, SOON).await?;
    endpoint.stop();
    let fails = async {
        loop {
            write(&session).await?;
            let seen = told(&alerts, "firing");
            if seen.contains("ZerodbHooksHookFails") && seen.contains("ZerodbHooksDeliveriesGivenUp") {
                return Ok::<_, anyhow::Error>(());
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, fails)
        .await
        .with_context(|| format!("{:?}\n{}", told(&alerts, "firing"), prometheus.log()))??;
    every_expression_finds_series(&session, &prometheus).await?;
    endpoint.start_again()?;
    endpoint.always(Answer::Status(200));
    is_told(&alerts, "resolved", "ZerodbHooksHookFails", &prometheus).await?;
    watched.worker.kill9()?;
    is_told(&alerts, "firing", "ZerodbHooksNoWorker", &prometheus).await
}

/// The expressions of the dashboard, as Grafana would send them.
fn of_dashboard() -> Result<Vec<String>> {
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(format!("{FOLDER}/dashboard.json"))?)?;
    let panels = dashboard["panels"].as_array().context("panels")?;
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array())
        .flatten();
    let expressions = targets.map(|target| target["expr"].as_str().unwrap_or_default());
    Ok(expressions.map(|text| text.replace(INTERVAL, "30s")).collect())
}

/// Those of the rules, which find a 1 or a 0 in the place of what they would compare away.
fn of_rules(prometheus: &Server) -> Result<Vec<String>> {
    let rules = prometheus.api("/api/v1/rules")?;
    let groups = rules["data"]["groups"].as_array().context("groups")?;
    let rules = groups
        .iter()
        .filter_map(|group| group["rules"].as_array())
        .flatten();
    let compared = |query: &str| {
        let query = query.replace(" > ", " > bool ").replace(" == ", " == bool ");
        // What is absent is not, and a day ago there was nothing.
        query
            .replace("absent(zerodb_hooks_sampled_timestamp_seconds) or ", "")
            .replace(" offset 1d", "")
    };
    let queries = rules.filter_map(|rule| rule["query"].as_str());
    Ok(queries
        .filter(|query| !query.starts_with("absent(up"))
        .map(compared)
        .collect())
}

async fn every_expression_finds_series(session: &Session, prometheus: &Server) -> Result<()> {
    let (of_dashboard, of_rules) = (of_dashboard()?, of_rules(prometheus)?);
    ensure!(
        of_dashboard.len() > 30 && of_rules.len() >= 12,
        "{of_dashboard:?} {of_rules:?}"
    );
    for expression in of_dashboard.into_iter().chain(of_rules) {
        let found = eventually(SOON, async || {
            prometheus
                .query(&expression)
                .map(|found| (!found.is_empty()).then_some(()))
                .transpose()
        });
        found.await.with_context(|| expression.clone())??;
        write(session).await?;
    }
    Ok(())
}
