//! The files of `packaging/monitoring` say what the metrics, the guide and promtool say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use zerodb_hooks_harness::Monitoring;
use zerodb_hooks_worker::metrics::{Kind, TABLE};

use crate::markdown::anchors;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/monitoring");
/// The page that the rules lead to.
const PAGE: &str = "docs/guide/monitoring.md";
const ROWS: [&str; 5] = [
    "Arrivals",
    "Backlog and age",
    "Outcomes",
    "Models and cost",
    "Workers",
];

fn text(name: &str) -> Result<String> {
    fs::read_to_string(Path::new(FOLDER).join(name)).with_context(|| name.to_owned())
}

/// What follows a key, wherever a line has it.
fn values<'t>(text: &'t str, key: &str) -> Vec<&'t str> {
    text.lines()
        .filter_map(|line| Some(line.split_once(key)?.1.trim()))
        .collect()
}

#[test]
fn promtool_finds_no_fault_and_each_test_of_an_alert_passes() -> Result<()> {
    let Some(monitoring) = Monitoring::found() else {
        return Ok(());
    };
    let folder = Path::new(FOLDER);
    monitoring.promtool(folder, &["check", "config", "prometheus.yml"], "")?;
    monitoring.promtool(folder, &["test", "rules", "rules_test.yml"], "")?;
    Ok(())
}

#[test]
fn every_alert_has_a_test_in_which_it_fires_one_in_which_it_does_not_and_a_page() -> Result<()> {
    let (rules, tests) = (text("rules.yml")?, text("rules_test.yml")?);
    let alerts: BTreeSet<&str> = values(&rules, "- alert: ").into_iter().collect();
    ensure!(alerts.len() >= 12, "{alerts:?}");
    let mut tested = BTreeMap::<&str, [usize; 2]>::new();
    for test in tests.split("alertname: ").skip(1) {
        let (name, rest) = test.split_once('\n').context("a line")?;
        let is_quiet = rest.trim_start().starts_with("exp_alerts: []");
        tested.entry(name.trim()).or_default()[usize::from(is_quiet)] += 1;
    }
    assert_eq!(tested.keys().copied().collect::<BTreeSet<_>>(), alerts);
    for (alert, [fires, quiet]) in tested {
        assert!(
            fires > 0 && quiet > 0,
            "{alert}: {fires} tests in which it fires, {quiet} in which it does not"
        );
    }
    let page = fs::read_to_string(Path::new(FOLDER).join("../..").join(PAGE))?;
    let (known, runbooks) = (anchors(&page), values(&rules, "runbook: "));
    assert_eq!(runbooks.len(), alerts.len(), "each has a runbook");
    for runbook in runbooks {
        let anchor = runbook.strip_prefix(PAGE).and_then(|rest| rest.strip_prefix('#'));
        assert!(
            anchor.is_some_and(|anchor| known.iter().any(|one| one == anchor)),
            "{runbook}"
        );
    }
    for alert in alerts {
        assert!(
            page.contains(&format!("`{alert}`")),
            "{PAGE} does not name {alert}"
        );
    }
    Ok(())
}

/// The names of metrics in a text, without the endings of a histogram's series.
fn named(text: &str) -> BTreeSet<String> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let histogram = |name: &str| {
        TABLE
            .iter()
            .any(|one| one.kind == Kind::Histogram && one.name == name)
    };
    text.split(|c| !is_of_name(c))
        .filter(|word| word.starts_with("zerodb_hooks_") || word.starts_with("process_"))
        .map(|word| {
            let endings = ["_bucket", "_sum", "_count"];
            let stem = endings
                .iter()
                .find_map(|ending| word.strip_suffix(ending).filter(|stem| histogram(stem)));
            stem.unwrap_or(word).to_owned()
        })
        .collect()
}

#[test]
fn rules_and_dashboard_ask_for_metrics_of_the_table_and_the_dashboard_shows_all_of_them() -> Result<()> {
    let known: BTreeSet<String> = TABLE.iter().map(|one| one.name.to_owned()).collect();
    for file in ["rules.yml", "rules_test.yml"] {
        let unknown: Vec<_> = named(&text(file)?).difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?}");
    }
    assert_eq!(named(&text("dashboard.json")?), known);
    Ok(())
}

#[test]
fn the_dashboard_has_five_rows_and_every_panel_a_unit_and_a_place_of_its_own() -> Result<()> {
    let dashboard: Value = serde_json::from_str(&text("dashboard.json")?)?;
    let panels = dashboard["panels"].as_array().context("panels")?;
    let (rows, charts): (Vec<_>, Vec<_>) = panels.iter().partition(|panel| panel["type"] == "row");
    let titles: Vec<_> = rows.iter().filter_map(|row| row["title"].as_str()).collect();
    assert_eq!(titles, ROWS);
    let mut taken = BTreeSet::new();
    for panel in panels {
        let at = |key: &str| panel["gridPos"][key].as_u64().unwrap_or(99);
        for (x, y) in (0..at("w")).flat_map(|x| (0..at("h")).map(move |y| (x, y))) {
            let place = (at("x") + x, at("y") + y);
            assert!(
                place.0 < 24 && taken.insert(place),
                "{} lies on another",
                panel["title"]
            );
        }
    }
    for chart in charts {
        let unit = chart["fieldConfig"]["defaults"]["unit"].as_str();
        assert!(
            unit.is_some_and(|unit| !unit.is_empty()),
            "{} has no unit",
            chart["title"]
        );
        let targets = chart["targets"].as_array().context("targets")?;
        assert!(
            targets.iter().all(|target| target["expr"].is_string()),
            "{}",
            chart["title"]
        );
    }
    Ok(())
}
