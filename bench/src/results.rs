//! Every reading for programs: `bench/results.json`.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Value, json};

use crate::figures::{Figures, Spread};
use crate::report::Report;
use crate::{ratios, targets};

/// Writes the file and returns its path.
pub fn save(report: &Report<'_>) -> Result<PathBuf> {
    let figures = &report.run.figures;
    let failures: Vec<_> = report
        .run
        .failures
        .iter()
        .map(|(case, reason)| json!({"case": case, "reason": reason}))
        .collect();
    let disturbed: Vec<_> = report
        .run
        .disturbed
        .iter()
        .map(|(case, turn, stolen)| json!({"case": case, "turn": turn, "stolen_percent": stolen}))
        .collect();
    let results = json!({
        "machine": report.machine,
        "options": report.options,
        "rivals": report.rivals,
        "figures": figures.all(),
        "ratios": ratios(figures),
        "targets": targets(figures),
        "disturbed": disturbed,
        "failures": failures,
    });
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("results.json");
    std::fs::write(&path, serde_json::to_string_pretty(&results)? + "\n")?;
    Ok(path)
}

fn ratios(figures: &Figures) -> Vec<Value> {
    let ratio = |ratio: &ratios::Ratio| {
        let rounds = ratio.rounds(figures)?;
        Some(
            json!({"says": ratio.says, "of": ratio.of, "to": ratio.to, "metric": ratio.metric.name,
            "spread": Spread::of(&rounds), "rounds": rounds}),
        )
    };
    ratios::ALL.iter().filter_map(ratio).collect()
}

fn targets(figures: &Figures) -> Vec<Value> {
    let target = |target: &targets::Target| {
        let rounds = target.rounds(figures);
        let spread = rounds.as_deref().map(Spread::of);
        json!({"figure": target.figure, "says": target.says, "target": target.bound.says(), "unit": target.unit(),
            "spread": spread, "rounds": rounds, "reached": spread.map(|spread| target.bound.is_reached(spread.median))})
    };
    targets::ALL.iter().map(target).collect()
}
