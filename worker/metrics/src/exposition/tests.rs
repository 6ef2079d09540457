use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::*;
use crate::DatabaseCall;
use crate::labels::{GivenUp, WebhookResult};
use crate::meters::ModelUse;
use crate::sample::{HookBacklog, Sample};
use crate::table::{Kind, TABLE};
use zerodb_hooks_delivery::outcome::Outcome;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn filled() -> Arc<Meters> {
    let meters = Arc::new(Meters::new("1.2.3", 10));
    let hook = meters.of_hook(Uuid::nil(), "a \"b\"\nc", Some("webhook"));
    hook.began(Duration::from_millis(7), Some(TRACE));
    hook.ended(
        &Outcome::Completed { status: None },
        Duration::from_millis(3),
        Some(TRACE),
    );
    meters.dispatched(3);
    meters.claimed(true, 2);
    meters.gave_up(GivenUp::Permanent);
    meters.webhook_requested(WebhookResult::Answered(200));
    meters.model_used(
        "local",
        "auto_embed",
        ModelUse {
            requests: 1,
            ..ModelUse::default()
        },
    );
    meters.called(DatabaseCall::Settle, Duration::from_millis(2), true);
    meters.lease_renewed();
    meters.set_in_flight(3, 4000);
    let sample = Sample {
        hooks: vec![HookBacklog {
            user_id: Uuid::nil(),
            name: "h".into(),
            due: 4,
        }],
        table_bytes: vec![("outbox".into(), 8192)],
        endpoints: vec![("local".into(), true)],
        ..Sample::default()
    };
    meters.sampled().set(&sample, Duration::from_millis(4));
    meters
}

/// The types by name, and the labels of each series' family.
fn read(text: &str) -> (BTreeMap<String, String>, BTreeMap<String, BTreeSet<String>>) {
    let (mut kinds, mut labels) = (BTreeMap::new(), BTreeMap::<String, BTreeSet<String>>::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a kind");
            kinds.insert(name.to_owned(), kind.to_owned());
        } else if !line.starts_with('#') {
            let name_end = line.find(['{', ' ']).expect("a value");
            let name = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|ending| {
                    line[..name_end]
                        .strip_suffix(ending)
                        .filter(|stem| kinds.contains_key(*stem))
                })
                .unwrap_or(&line[..name_end]);
            let of_family = labels.entry(name.to_owned()).or_default();
            // Values are in quotes, and quotes within them are escaped: names of labels are what stands before `="`.
            for (before, _) in line.match_indices("=\"") {
                let start = line[..before].rfind(['{', ',']).map_or(0, |at| at + 1);
                let label = &line[start..before];
                if label != "le" {
                    of_family.insert(label.to_owned());
                }
            }
        }
    }
    (kinds, labels)
}

#[test]
fn the_text_has_all_of_the_table_with_its_labels_and_nothing_else() {
    let text = Exposition::new(filled()).text(Form::Prometheus);
    let (kinds, labels) = read(&text);
    let known: BTreeMap<_, _> = TABLE
        .iter()
        .map(|one| (one.name.to_owned(), one.kind.name().to_owned()))
        .collect();
    assert_eq!(kinds, known);
    for one in TABLE {
        let expected: BTreeSet<_> = one.labels.iter().map(|label| (*label).to_owned()).collect();
        assert_eq!(labels[one.name], expected, "{}", one.name);
    }
    assert!(!text.contains("trace_id"), "that form has no exemplars");
}

#[test]
fn exemplars_lead_from_a_bucket_to_a_trace() {
    let text = Exposition::new(filled()).text(Form::OpenMetrics);
    let of_trace = format!("# {{trace_id=\"{TRACE}\"}}");
    assert!(text.lines().any(
        |line| line.starts_with("zerodb_hooks_attempt_duration_seconds_bucket") && line.contains(&of_trace)
    ));
    assert!(text.contains("hook=\"a \\\"b\\\"\\nc\""), "a name is escaped");
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn a_worker_that_samples_no_longer_exports_none_of_the_databases_figures() {
    let meters = filled();
    meters.sampled().clear();
    let (kinds, _) = read(&Exposition::new(meters).text(Form::Prometheus));
    let of_database = TABLE.iter().filter(|one| one.source == crate::Source::Database);
    assert_eq!(of_database.filter(|one| kinds.contains_key(one.name)).count(), 0);
}

#[test]
fn every_name_follows_the_rules_of_names() {
    for one in TABLE {
        assert!(
            one.name.starts_with("zerodb_hooks_") || one.name.starts_with("process_"),
            "{}",
            one.name
        );
        assert_eq!(
            one.name.ends_with("_total"),
            one.kind == Kind::Counter,
            "{}",
            one.name
        );
        assert!(!one.help.ends_with('.'), "{}", one.name);
        for label in one.labels {
            assert!(
                crate::labels::VALUES.iter().any(|(known, _)| known == label),
                "{label} has no values"
            );
        }
    }
}

#[test]
fn who_asks_again_at_once_gets_the_same_text() {
    let meters = filled();
    let exposition = Exposition::new(Arc::clone(&meters));
    let first = exposition.text(Form::OpenMetrics);
    meters.dispatched(1);
    assert!(Arc::ptr_eq(&first, &exposition.text(Form::OpenMetrics)));
}
